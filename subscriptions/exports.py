"""A reader's interests as an outline that feed readers can take over."""

from __future__ import annotations

from xml.etree import ElementTree

from django.conf import settings

from subscriptions import questions
from subscriptions.models import Subscriber
from subscriptions.wants import interests


def opml(subscriber: Subscriber) -> str:
    """OPML 2.0: one outline an interest; where the site has a feed for it, its address. What is muted stays out."""
    root = ElementTree.Element("opml", version="2.0")
    head = ElementTree.SubElement(root, "head")
    ElementTree.SubElement(head, "title").text = f"{settings.SITE_NAME}: what I follow"
    body = ElementTree.SubElement(root, "body")
    for one in interests.of(subscriber):
        if one.muted:
            continue
        feed = questions.digest.feed_url(one.topic.slug if one.topic else "", one.filter.text)
        attributes = {"text": one.label, "type": "rss", "xmlUrl": feed} if feed else {"text": one.label}
        ElementTree.SubElement(body, "outline", attributes | {"description": one.filter.text})
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, encoding="unicode")
