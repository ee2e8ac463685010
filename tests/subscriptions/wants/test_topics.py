from __future__ import annotations

from pathlib import Path

import pytest
from django.core.management import call_command

from subscriptions.models import Filter, Interest, Topic
from subscriptions.wants.topics import TopicsError, load_starter_topics, read_starter_topics
from tests import make

GROUPS = {
    "Machine learning",
    "Language",
    "Vision",
    "Robotics",
    "Speech and sound",
    "Systems",
    "Security",
    "Theory",
    "Statistics",
    "Mathematics",
    "Physics",
    "Astronomy",
    "Biology",
    "Medicine",
    "Economics",
}


def topics_file(folder: Path, *rows: tuple[str, str]) -> Path:
    file = folder / "topics.toml"
    file.write_text(
        "".join(
            f'[[topic]]\nslug = "{slug}"\nname = "{slug.title()}"\ngroup = "Tests"\ndescription = "About {slug}."\n'
            f"query = '{text}'\n"
            for slug, text in rows
        )
    )
    return file


def test_the_shipped_topics_are_whole_and_different() -> None:
    topics = read_starter_topics()
    assert len(topics) >= 60
    assert {topic.group for topic in topics} == GROUPS
    assert all(topic.description.endswith(".") and len(topic.description) <= 110 for topic in topics)
    assert len({topic.canonical for topic in topics}) == len({topic.name for topic in topics}) == len(topics)


@pytest.mark.thorough
@pytest.mark.django_db
def test_loading_twice_changes_nothing() -> None:
    count = load_starter_topics()
    before = list(Topic.objects.values())
    assert load_starter_topics() == count == len(before)
    assert list(Topic.objects.values()) == before


@pytest.mark.django_db
def test_a_changed_query_takes_the_topics_readers_along(tmp_path: Path) -> None:
    load_starter_topics(topics_file(tmp_path, ("sound", "music"), ("sea", "ocean")))
    sound = Topic.objects.get(slug="sound")
    reader = make.subscriber(topics=[sound], queries=["fish"])
    load_starter_topics(topics_file(tmp_path, ("sound", "music OR audio")))
    texts = Interest.objects.filter(subscriber=reader).values_list("filter__text", flat=True)
    assert sorted(texts) == ["audio OR music", "fish"]


@pytest.mark.django_db
def test_a_reader_who_already_holds_the_new_query_keeps_both_interests(tmp_path: Path) -> None:
    load_starter_topics(topics_file(tmp_path, ("sound", "music")))
    reader = make.subscriber(topics=[Topic.objects.get(slug="sound")], queries=["audio"])
    load_starter_topics(topics_file(tmp_path, ("sound", "audio")))
    assert Interest.objects.filter(subscriber=reader).count() == 2


@pytest.mark.django_db
def test_a_topic_that_left_the_file_is_kept_but_not_offered_and_a_curators_own_stays(tmp_path: Path) -> None:
    own = make.topic("own")
    load_starter_topics(topics_file(tmp_path, ("sound", "music"), ("sea", "ocean")))
    load_starter_topics(topics_file(tmp_path, ("sound", "music")))
    assert not Topic.objects.get(slug="sea").is_active
    own.refresh_from_db()
    assert own.is_active


@pytest.mark.django_db
def test_a_bad_topic_is_named_and_nothing_is_stored(tmp_path: Path) -> None:
    with pytest.raises(TopicsError, match=r"topic sea: .*never closed"):
        load_starter_topics(topics_file(tmp_path, ("sound", "music"), ("sea", "(ocean")))
    with pytest.raises(TopicsError, match="twice: sea"):
        load_starter_topics(topics_file(tmp_path, ("sea", "a"), ("sea", "b")))
    assert not Filter.objects.exists()


@pytest.mark.django_db
def test_the_command_says_how_many(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("load_topics", "--json")
    assert capsys.readouterr().out == f'{{"topics": {len(read_starter_topics())}}}\n'
