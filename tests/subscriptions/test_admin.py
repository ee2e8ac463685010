"""Topics in the stock admin and what stands behind: the query is read, the filter follows, readers come along."""

from __future__ import annotations

import pytest

from subscriptions import query
from subscriptions.models import Topic
from subscriptions.wants import topic_editing
from subscriptions.wants.topics import load_starter_topics
from tests import make

pytestmark = pytest.mark.django_db


def form(**fields):
    values = {"slug": "speech", "name": "Speech", "group": "Tests", "description": "", "query": "speech", "position": 0}
    return values | {"is_active": "on"} | fields


def test_a_topic_is_added_with_its_filter(admin_client):
    assert admin_client.post("/admin/subscriptions/topic/add/", form(query="Voice or speech")).status_code == 302
    assert Topic.objects.get().filter.text == query.canonical("Voice or speech")


def test_a_query_that_cannot_be_read_is_refused_with_its_column(admin_client):
    answer = admin_client.post("/admin/subscriptions/topic/add/", form(query="(speech"))
    assert answer.status_code == 200
    assert b"column" in answer.content
    assert not Topic.objects.exists()


def test_readers_come_along_when_its_query_changes(admin_client):
    topic = make.topic("speech", "speech")
    reader = make.subscriber(topics=[topic])
    admin_client.post(f"/admin/subscriptions/topic/{topic.pk}/change/", form(query="voice"))
    assert reader.interests.get().filter.text == "voice"


def test_a_reader_who_holds_the_new_filter_already_keeps_both_as_they_are():
    topic = make.topic("speech", "speech")
    reader = make.subscriber(topics=[topic], queries=["voice"])
    topic.query = "voice"
    topic_editing.write(topic)
    assert sorted(one.filter.text for one in reader.interests.all()) == ["speech", "voice"]


def test_what_a_curator_wrote_outlives_the_file_of_starter_topics():
    load_starter_topics()
    topic = Topic.objects.order_by("pk").first()
    topic.query = "my own words"
    topic_editing.write(topic)
    load_starter_topics()
    topic.refresh_from_db()
    assert topic.query == "my own words"
    assert topic.filter.text == query.canonical("my own words")


@pytest.mark.parametrize("into", ["itself", "retired"])
def test_a_merge_that_makes_no_sense_is_refused(into):
    topic, retired = make.topic("speech", "speech"), make.topic("old", "old", is_active=False)
    with pytest.raises(topic_editing.OfferError):
        topic_editing.merge(topic, topic if into == "itself" else retired)
    assert Topic.objects.get(pk=topic.pk).is_active
