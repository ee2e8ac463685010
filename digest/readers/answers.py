"""Digest's answers to the pages and the mail of subscriptions (`subscriptions.questions.Digest`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from urllib.parse import urlencode

from digest.delivery import receivers
from digest.readers import history, preview, taste
from subscriptions import questions
from subscriptions.bibliography import Reference
from subscriptions.links import urls
from subscriptions.models import Subscriber
from subscriptions.wants.interests import Wish


class Answers:
    """The methods do what the protocol says."""

    can_send_now = True

    def preview(
        self, wishes: Sequence[Wish], description: str = "", liked: Sequence[Reference] = ()
    ) -> questions.Preview:
        return preview.preview(wishes, description, liked)

    def history(self, subscriber: Subscriber, now: datetime) -> Sequence[questions.Letter]:
        return history.history(subscriber, now)

    def today(self, subscriber: Subscriber, now: datetime) -> questions.Letter:
        return history.today(subscriber, now)

    def send_now(self, subscriber: Subscriber, now: datetime) -> str:
        return history.send_now(subscriber, now)

    def reason_to_hold(self, now: datetime) -> str:
        return receivers.reason_to_hold(now)

    def feed_url(self, topic: str, query: str) -> str:
        if topic:
            return urls.absolute("topic_feed", topic, "atom")
        return f"{urls.absolute('search_feed', 'atom')}?{urlencode({'q': query})}"

    def profile_summary(self, subscriber: Subscriber) -> questions.ProfileSummary:
        return taste.summary(subscriber)

    def take_back(self, subscriber: Subscriber, paper: int) -> bool:
        return taste.take_back(subscriber, paper)
