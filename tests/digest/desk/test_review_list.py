"""The day's papers at the desk: pin, hide, note, order, merge, undo, add; two curators never overwrite each other."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from digest.desk.acts import add_paper, edition_acts
from digest.desk.pages import audience, duplicates, paper_filter, review_list
from digest.desk.pages.duplicates import Looked
from digest.editions import lifecycle
from digest.models import AuditEntry, EditionPaper, Paper
from digest.papers.entry import Batch, Entry
from digest.sources import client as source_client
from tests import make

pytestmark = pytest.mark.django_db
DAY = f"/desk/triage/{make.TODAY}/"


@pytest.fixture(autouse=True)
def no_pairs_known(monkeypatch):
    """A process keeps one edition's pairs; tests give the same numbers to other papers."""
    monkeypatch.setattr(review_list, "known_pairs", {})


@pytest.fixture
def edition():
    papers = [make.paper(title) for title in ("Speech from silence", "Seeing in the dark", "Proofs by machine")]
    return make.edition(papers=papers, state="collecting")


def entry(edition, number=0):
    return edition.entries.order_by("id")[number]


def do(client, row, verb, **form):
    return client.post(f"{DAY}{row.pk}/", {"verb": verb, "here": DAY, **form})


def now_of(row):
    row.refresh_from_db()
    return row


@pytest.mark.parametrize(
    ("verb", "field", "value"),
    [("pin", "is_pinned", True), ("hide", "is_hidden", True)],
)
def test_one_press_is_one_act_and_one_line_in_the_log(verb, field, value, curator, edition):
    row = entry(edition)
    assert do(curator, row, verb).url == f"{DAY}#p{row.pk}"
    assert getattr(now_of(row), field) is value
    act = AuditEntry.objects.get()
    assert (act.actor, act.verb, act.before[field], act.after[field]) == ("curator", verb, not value, value)


@pytest.mark.parametrize(
    ("after", "page", "stands"),
    [
        ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], 3),  # it stands where it stood
        ([3, 1, 2, 4, 5], [3, 1, 2, 4, 5], 4),  # it went to the head of the list: the next one
        ([1, 2, 4, 5], [1, 2, 4, 5], 4),  # it is gone
        ([1, 2], [1, 2], 2),  # so is all that came behind it
        ([3, 1, 2, 4, 5], [1, 2], 2),  # the next one is on another page
        ([], [], None),
    ],
)
def test_after_an_act_one_stands_at_the_paper_or_at_the_next(after, page, stands):
    assert paper_filter.next_stand([1, 2, 3, 4, 5], after, 3, page) == stands


@given(st.lists(st.integers(0, 9), unique=True), st.lists(st.integers(0, 9), unique=True), st.integers(0, 9), st.data())
def test_one_stands_on_the_page_or_nowhere(before, after, entry, data):
    start = data.draw(st.integers(0, len(after)))
    part = after[start : start + 3]
    stands = paper_filter.next_stand(before, after, entry, part)
    assert stands in part if stands is not None else not set(part) & set(before)


def test_the_list_can_be_ordered_by_readers_or_votes_behind_its_pins(curator, edition):
    make.subscriber(queries=["dark"])
    Paper.objects.filter(title="Proofs by machine").update(upvotes=7)
    audience.count(edition, timezone.now())

    def order(name):
        said = curator.get(DAY, {"order": name}).content.decode()
        return [title.split()[0] for title in re.findall(r"<h2[^>]*>(?:<a .*?>)?(\w.*?)<", said)]

    assert [order(name)[0] for name in ("place", "nonsense", "reach", "votes")] == [
        "Speech", "Speech", "Seeing", "Proofs"
    ]  # fmt: skip
    do(curator, entry(edition), "pin")
    assert order("votes") == ["Speech", "Proofs", "Seeing"]


def test_the_list_asked_for_is_come_back_to(curator, edition):
    row = entry(edition, 1)
    assert do(curator, row, "hide", here=f"{DAY}?show=open&q=speech+OR+dark&page=1").url == (
        f"{DAY}?q=speech+OR+dark&show=open#p{entry(edition).pk}"
    )


def test_pressing_twice_is_pressing_once(curator, edition):
    row = entry(edition)
    do(curator, row, "pin")
    do(curator, row, "pin")
    assert AuditEntry.objects.count() == 1


def test_a_pin_shows_what_was_hidden_and_a_hide_unpins(curator, edition):
    row = entry(edition)
    do(curator, row, "hide")
    do(curator, row, "pin")
    assert (now_of(row).is_pinned, row.is_hidden) == (True, False)
    do(curator, row, "hide")
    assert (now_of(row).is_pinned, row.is_hidden) == (False, True)


def test_pins_keep_the_order_they_are_put_in(curator, edition):
    rows = [entry(edition, n) for n in range(3)]
    for row in (rows[2], rows[0], rows[1]):
        do(curator, row, "pin")
    do(curator, rows[1], "up")
    pins = [row.pk for row in edition.entries.filter(is_pinned=True)]
    assert pins == [rows[2].pk, rows[1].pk, rows[0].pk]


def test_the_first_pin_goes_no_further_up(curator, edition):
    row = entry(edition)
    do(curator, row, "pin")
    assert do(curator, row, "up").status_code == 302
    assert AuditEntry.objects.count() == 1


def test_a_note_is_kept_on_one_line(curator, edition):
    row = entry(edition)
    do(curator, row, "note", note="  Read\n this one. ", seen="")
    assert now_of(row).note == "Read this one."


def test_two_curators_notes_do_not_overwrite_each_other(signed_in, edition):
    row = entry(edition)
    do(signed_in("curator", "ann"), row, "note", note="Ann's", seen="")
    second = signed_in("curator", "ben")
    do(second, row, "note", note="Ben's", seen="")
    assert now_of(row).note == "Ann's"
    assert "Someone else changed this note" in second.get(DAY).content.decode()


@pytest.mark.parametrize("state", ["frozen", "released"])
@pytest.mark.parametrize("verb", ["pin", "hide", "note"])
def test_a_closed_edition_stays_as_it_is(state, verb, curator, edition):
    row = entry(edition)
    type(edition).objects.update(state=state)
    do(curator, row, verb, note="x", seen="")
    assert EditionPaper.objects.filter(pk=row.pk, is_pinned=False, is_hidden=False, note="").exists()
    assert "its content is fixed" in curator.get(DAY).content.decode()
    assert not AuditEntry.objects.exists()


def test_undo_takes_back_ones_own_last_act_and_no_other(curator, edition):
    one, two = entry(edition), entry(edition, 1)
    do(curator, one, "pin")
    do(curator, two, "hide")
    assert undone(curator) == "Undone: the hiding of “Seeing in the dark”."
    assert undone(curator) == "There is nothing of yours to undo in this edition."
    assert (now_of(one).is_pinned, now_of(two).is_hidden) == (True, False)


def test_undo_leaves_what_another_changed_since(signed_in, edition):
    row, ann = entry(edition), signed_in("curator", "ann")
    do(ann, row, "pin")
    do(signed_in("curator", "ben"), row, "hide")
    ann.post(f"{DAY}undo/")
    assert (now_of(row).is_pinned, row.is_hidden) == (False, True)
    said = ann.get(DAY).content.decode()
    assert "Not undone: the pin of “Speech from silence”. ben changed this after you did (hide)." in said


def test_the_edition_page_is_come_back_to(curator, edition):
    page = f"/desk/edition/{make.TODAY}/"
    row = entry(edition)
    do(curator, row, "pin")
    assert do(curator, row, "unpin", here=page).url == f"{page}#pins"
    assert curator.post(f"{DAY}undo/", {"here": page}).url == f"{page}#pins"


def undone(client):
    """What the page says after an undo."""
    page = client.post(f"{DAY}undo/", follow=True).content.decode()
    return re.findall(r'<div class="notice (?:good|bad)" role="\w+"><p>(.*?)</p>', page)[-1]


def test_an_act_that_another_changed_stays_and_so_do_those_before_it(signed_in, edition):
    one, two, ann = entry(edition), entry(edition, 1), signed_in("curator", "ann")
    do(ann, one, "hide")
    do(ann, two, "pin")
    do(signed_in("curator", "ben"), two, "unpin")
    for _ in range(2):
        assert undone(ann) == "Not undone: the pin of “Seeing in the dark”. ben changed this after you did (unpin)."
    assert now_of(one).is_hidden


def test_a_note_of_another_does_not_hinder_taking_back_a_pin(signed_in, edition):
    row, ann = entry(edition), signed_in("curator", "ann")
    do(ann, row, "pin")
    do(signed_in("curator", "ben"), row, "note", note="Ben's", seen="")
    assert undone(ann).startswith("Undone: the pin")
    assert (now_of(row).is_pinned, row.note) == (False, "Ben's")


@pytest.mark.thorough
def test_an_order_of_pins_is_taken_back(curator, edition):
    rows = [entry(edition, n) for n in (2, 0, 1)]
    for row in rows:
        do(curator, row, "pin")
    do(curator, rows[1], "up")
    assert undone(curator) == "Undone: the order of the pins."
    assert [row.pk for row in edition.entries.filter(is_pinned=True)] == [row.pk for row in rows]


@pytest.mark.parametrize(("at", "verb"), [(0, "up"), (2, "pin"), (0, "unpin")])
def test_an_order_of_pins_that_another_changed_stays(at, verb, signed_in, edition):
    one, two, ann = entry(edition), entry(edition, 1), signed_in("curator", "ann")
    for row in (one, two):
        do(ann, row, "pin")
    do(ann, two, "up")
    do(signed_in("curator", "ben"), entry(edition, at), verb)
    before = list(edition.entries.filter(is_pinned=True))
    assert undone(ann).startswith("Not undone: the order of the pins. ben changed this after you did")
    assert list(edition.entries.filter(is_pinned=True)) == before


def test_an_added_paper_is_taken_out_again_and_stays_out(curator, edition, monkeypatch):
    found = Entry("2504.02302", "Found at arXiv", "https://arxiv.org/abs/2504.02302", arxiv_id="2504.02302")
    monkeypatch.setattr(source_client, "request", lambda *a, **k: reply([found]))
    do(curator, entry(edition), "pin")
    curator.post(f"{DAY}add/", {"what": "2504.02302"})
    assert undone(curator) == "Undone: the adding of “Found at arXiv”."
    lifecycle.collect(edition.date, make.NOW)
    assert not edition.entries.filter(paper__title="Found at arXiv").exists()
    assert now_of(entry(edition)).is_pinned


@pytest.mark.thorough
def test_a_late_riser_brought_back_is_taken_out_unless_another_pinned_it(signed_in, edition):
    old, ann = make.paper("Old"), signed_in("curator", "ann")
    make.edition(make.TODAY.replace(day=1), [old])
    ann.post(f"{DAY}back/{old.pk}/")
    back = edition.entries.get(paper=old)
    ben = signed_in("curator", "ben")
    do(ben, back, "pin")
    assert "ben changed this after you did (pin)" in undone(ann)
    undone(ben)
    assert edition.entries.filter(paper=old).exists()
    edition.entries.filter(paper=old).delete()
    ann.post(f"{DAY}back/{old.pk}/")
    assert undone(ann) == "Undone: the return of “Old”."
    assert not edition.entries.filter(paper=old).exists()


def test_undo_takes_back_nothing_of_others(signed_in, edition):
    do(signed_in("curator", "ann"), entry(edition), "pin")
    signed_in("curator", "ben").post(f"{DAY}undo/")
    assert now_of(entry(edition)).is_pinned


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ({"q": "speech OR dark"}, {"Speech from silence", "Seeing in the dark"}),
        ({"q": "title:proofs"}, {"Proofs by machine"}),
        ({"q": "NOT speech"}, None),
        ({"show": "pinned"}, {"Proofs by machine"}),
        ({"show": "hidden"}, {"Seeing in the dark"}),
        ({"show": "open"}, {"Speech from silence"}),
        ({"show": "unread"}, {"Seeing in the dark"}),  # a pin is everybody's
    ],
)
def test_the_list_narrows(asked, shown, curator, edition):
    make.subscriber(queries=["speech"])
    do(curator, entry(edition, 1), "hide")
    do(curator, entry(edition, 2), "pin")
    page = curator.get(DAY, asked).content.decode()
    titles = {"Speech from silence", "Seeing in the dark", "Proofs by machine"}
    seen = {title for title in titles if f">{title}</a>" in page}
    if shown is None:
        assert "column" in page
    else:
        assert seen == shown


def test_a_paper_says_how_many_it_would_reach_and_by_what(curator, edition):
    topic = make.topic("speech", "speech")
    for _ in range(3):
        make.subscriber(topics=[topic])
    make.subscriber(queries=["silence"])
    make.subscriber(queries=["speech"], state="paused")
    found = reach_of(edition, "Speech from silence")
    assert (found.readers, found.topics, found.words) == (4, (("Speech", 3),), 1)
    page = " ".join(re.sub("<.*?>", "", curator.get(DAY).content.decode()).split())
    assert "4 readers: Speech 3, own words 1" in page


def reaches(client):
    """What the page says of each paper's reach, in the order of the list."""
    found = re.findall(r'<p class="reach">(.*?)</p>', client.get(DAY).content.decode(), re.S)
    return [" ".join(re.sub("<.*?>", "", one).split()) for one in found]


def test_a_pin_reaches_everybody_and_what_is_not_counted_yet_says_so(curator, edition):
    make.subscriber(queries=["speech"])
    make.subscriber(queries=["nothing like it"])
    audience.count(edition, timezone.now())
    do(curator, entry(edition, 2), "pin")
    EditionPaper.objects.create(edition=edition, paper=make.paper("Late"), position=9)
    due = edition_acts.letters_ahead(timezone.now())
    assert reaches(curator) == [
        f"everybody: {due} readers due within a day", "1 reader: own words 1", "0 readers", "being counted"
    ]  # fmt: skip


def test_a_muted_interest_takes_its_reader_away(edition):
    reader = make.subscriber(queries=["speech"])
    reader.interests.create(kind="filter", text="silence", filter=make.filter("silence"), muted=True)
    assert reach_of(edition, "Speech from silence").readers == 0


def test_a_topic_counts_only_the_readers_whom_it_brings_a_paper(edition):
    topic = make.topic("speech", "speech")
    make.subscriber(topics=[topic])
    for text in ("silence", "speech", "nothing like it"):
        reader = make.subscriber(topics=[] if text == "speech" else [topic])
        reader.interests.create(kind="filter", text=text, filter=make.filter(text), muted=True)
    found = reach_of(edition, "Speech from silence")
    assert (found.readers, found.topics) == (2, (("Speech", 2),))


def test_a_topic_whose_readers_all_mute_a_paper_is_not_named(edition):
    reader = make.subscriber(topics=[make.topic("speech", "speech")])
    reader.interests.create(kind="filter", text="silence", filter=make.filter("silence"), muted=True)
    assert reach_of(edition, "Speech from silence").topics == ()


def test_who_holds_two_interests_counts_once(edition):
    make.subscriber(queries=["speech", "silence"])
    assert reach_of(edition, "Speech from silence").readers == 1


def reach_of(edition, title):
    audience.count(edition, make.NOW)
    return audience.of(edition)[Paper.objects.get(title=title).pk]


def test_twins_are_suggested_and_merged(curator, edition):
    twin = make.paper("Speech, from Silence")
    EditionPaper.objects.create(edition=edition, paper=twin, position=9)
    first = Paper.objects.get(title="Speech from silence")
    assert "The same?" in curator.get(DAY).content.decode()
    curator.post(f"{DAY}merge/", {"one": first.pk, "two": twin.pk})
    assert "The same?" not in curator.get(DAY).content.decode()
    twin.refresh_from_db()
    assert twin.merged_into == first
    assert AuditEntry.objects.get().verb == "merge"


@pytest.mark.parametrize(
    ("one", "two", "alike"),
    [
        ("Deep speech models", "Deep Speech Models.", True),
        ("Deep speech models", "Deep vision models", False),
        ("A", "A", True),
        ("", "", False),
    ],
)
def test_likeness_is_of_words(one, two, alike):
    papers = [Looked(1, one, ("Ada Example",)), Looked(2, two, ("A. Example",))]
    assert bool(duplicates.suggested(papers)) is alike


def test_the_same_title_by_others_is_another_paper():
    papers = [Looked(1, "Editorial note", ("Ada Example",)), Looked(2, "Editorial note", ("Ben Sample",))]
    assert duplicates.suggested(papers) == []


@pytest.mark.thorough
@given(st.lists(st.tuples(st.text(max_size=30), st.text(max_size=12)), max_size=8))
def test_suggestions_are_pairs_in_order_of_papers_that_are_there(texts):
    papers = [Looked(n, title, (author,)) for n, (title, author) in enumerate(texts)]
    found = duplicates.suggested(papers)
    assert found == sorted(set(found))
    assert all(0 <= one < two < len(papers) for one, two in found)


# -- adding ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("2504.02302", "2504.02302"),
        ("2504.02302v3", "2504.02302"),
        ("arXiv:2504.02302", "2504.02302"),
        ("https://arxiv.org/abs/2504.02302v2", "2504.02302"),
        ("https://arxiv.org/pdf/2504.02302.pdf", "2504.02302"),
        ("https://huggingface.co/papers/2504.02302", "2504.02302"),
        ("hep-th/9901001", "hep-th/9901001"),
        ("https://example.org/paper/12", ""),
        ("nonsense", ""),
    ],
)
def test_an_arxiv_id_is_found_in_a_link(text, number):
    assert add_paper.arxiv_id(text) == number


def reply(entries):
    return source_client.Response("arxiv-api", "", make.TODAY, batch=Batch(tuple(entries)))


def test_a_known_paper_is_added_by_its_id(curator, edition):
    paper = make.paper("Known already", arxiv_id="2504.02302")
    answer = curator.post(f"{DAY}add/", {"what": "https://arxiv.org/abs/2504.02302v2"})
    assert answer.url == f"{DAY}#p{edition.entries.get(paper=paper).pk}"
    assert "Added: “Known already”." in curator.get(DAY).content.decode()


def test_what_a_closed_edition_refuses_is_not_stored(curator, edition):
    type(edition).objects.update(state="released")
    form = {"what": "https://example.org/a", "title": "By hand"}
    assert b"its content is fixed" in curator.post(f"{DAY}add/", form).content
    assert not Paper.objects.filter(title="By hand").exists()


def test_an_unknown_paper_is_asked_of_arxiv(curator, edition, monkeypatch):
    found = Entry("2504.02302", "Found at arXiv", "https://arxiv.org/abs/2504.02302", arxiv_id="2504.02302")
    monkeypatch.setattr(source_client, "request", lambda *a, **k: reply([found]))
    curator.post(f"{DAY}add/", {"what": "2504.02302"})
    assert edition.entries.filter(paper__title="Found at arXiv").exists()


def test_a_paper_nobody_knows_is_described_by_hand(curator, edition, monkeypatch):
    monkeypatch.setattr(source_client, "request", lambda *a, **k: reply([]))
    first = curator.post(f"{DAY}add/", {"what": "https://example.org/a"})
    assert first.status_code == 400
    assert b"Give its title" in first.content
    form = {"what": "https://example.org/a", "title": "By hand", "authors": "Ada Example, Ben Sample"}
    assert curator.post(f"{DAY}add/", form).status_code == 302
    assert edition.entries.get(paper__title="By hand").paper.authors == ["Ada Example", "Ben Sample"]


@pytest.mark.parametrize("what", ["", "nonsense", "javascript:alert(1)", "ftp://example.org/x", "https://"])
def test_what_is_no_paper_is_refused_in_words(what, curator, edition):
    answer = curator.post(f"{DAY}add/", {"what": what, "title": "x"})
    assert answer.status_code == 400
    assert b'role="alert"' in answer.content


def test_a_paper_of_another_edition_is_not_added_again(curator, edition):
    old = make.paper("Old", arxiv_id="2504.02302")
    make.edition(make.TODAY.replace(day=1), [old])
    assert b"is in the edition of 2026-06-01 already" in curator.post(f"{DAY}add/", {"what": "2504.02302"}).content


def test_a_late_riser_comes_once_more_and_no_more(curator, edition):
    old = make.paper("Old")
    make.edition(make.TODAY.replace(day=1), [old])
    for _ in range(2):
        curator.post(f"{DAY}back/{old.pk}/")
    assert edition.entries.filter(paper=old, is_late_riser=True).count() == 1


def queries(client, address):
    client.get(address)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(address).status_code == 200
    return len(seen)


def test_a_longer_day_asks_no_more_questions(curator, edition):
    make.subscriber(queries=["thing"])
    few = queries(curator, DAY)
    for n in range(30):
        EditionPaper.objects.create(edition=edition, paper=make.paper(), position=10 + n)
    assert queries(curator, DAY) <= few + 1


def test_nowhere_else_is_gone_back_to(curator, edition):
    row = entry(edition)
    for here in ("https://evil.example/", "//evil.example", "/desk/log/", f"{DAY}../../log/"):
        assert curator.post(f"{DAY}{row.pk}/", {"verb": "pin", "here": here}).url.startswith(DAY + "#")
