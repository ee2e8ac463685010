"""Letters in the browser, their action links, saved papers, the private feed and the outbox page."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from django.test import Client

from digest.letters import links
from digest.letters.letters import letters
from digest.models import Delivery, Feedback, Saved
from subscriptions import accounts
from subscriptions.links import tokens
from tests import make
from tests.digest.letters.posts import delivery

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


@pytest.fixture
def sent() -> Delivery:
    return delivery([make.paper("On speech"), make.paper("On stones")], state=Delivery.State.ACCEPTED)


def own(row: Delivery) -> Any:
    return links.own(row, row.subscriber)


def local(url: str) -> str:
    return url.removeprefix("http://localhost:8000")


def test_the_letter_opens_in_the_browser(client: Client, sent: Delivery):
    page = client.get(local(own(sent).web))
    assert page.status_code == 200
    assert "On speech" in page.content.decode()
    assert "no-store" in page["Cache-Control"]


def test_s6_the_letter_in_the_browser_holds_no_address_of_the_readers_own(client: Client, sent: Delivery):
    page = client.get(local(own(sent).web)).content.decode()
    mine = own(sent)
    for address in (mine.preferences, mine.unsubscribe, mine.act, mine.saved):
        assert address not in page
        assert address.rstrip("/").rpartition("/")[2] not in page


def test_a_letters_address_cannot_be_guessed_or_used_for_another_door(client: Client, sent: Delivery):
    act = tokens.make("act", sent.uuid.hex)
    for token in (act, f"{sent.uuid.hex}.x", "x", act[:-1]):
        assert client.get(f"/l/{token}/").status_code == 404


def test_s6_every_link_of_a_letter_but_the_one_for_leaving_can_be_made_void(client: Client, sent: Delivery):
    mine, reader, first = own(sent), sent.subscriber, sent.papers[0]["paper"]
    web = local(mine.web)
    act = f"{local(mine.act)}/{first}/"
    shown = [web, f"{web}more/", local(mine.saved), f"{local(mine.saved)}papers.bib", local(links.feed_url(reader))]
    shown += [act, f"{act}save/", f"{act}why/"]
    assert [client.get(one).status_code for one in shown] == [200] * len(shown)
    accounts.renew_links(reader)
    assert [client.get(one).status_code for one in shown] == [404] * len(shown)
    assert client.post(f"{act}save/").status_code == 404
    assert not Saved.objects.exists()
    assert "Stop all letters" in client.get(local(mine.unsubscribe)).content.decode()
    assert client.get(local(own(sent).saved)).status_code == 200


@pytest.mark.thorough
def test_a_link_made_before_links_had_rounds_opens_until_they_are_made_void(client: Client, sent: Delivery):
    old = f"/s/{tokens.make('saved', sent.subscriber.uuid.hex)}/"
    assert client.get(old).status_code == 200
    accounts.renew_links(sent.subscriber)
    assert client.get(old).status_code == 404


def test_an_erased_letter_says_so(client: Client, sent: Delivery):
    sent.subscriber.state = "forgotten"
    sent.subscriber.save()
    assert client.get(local(own(sent).web)).status_code == 410


def test_what_did_not_fit_on_the_letter_is_listed(client: Client):
    papers = [make.paper(f"Speech {name}") for name in ("one", "two")]
    reader = make.subscriber(queries=["speech"])
    row = delivery(papers[:1], reader, make.edition(papers=papers), matched=2)
    page = client.get(local(own(row).more)).content.decode()
    assert "Speech two" in page
    assert "Speech one" not in page


@pytest.mark.parametrize("act", ["save", "more", "less"])
def test_a_get_changes_nothing_and_a_post_acts_once(client: Client, sent: Delivery, act: str):
    start = f"{local(own(sent).act)}/{sent.papers[0]['paper']}/"
    for address in (start, f"{start}{act}/"):
        assert client.get(address).status_code == 200
        assert client.head(address).status_code == 200
    assert Saved.objects.count() + Feedback.objects.count() == 0
    for _ in range(2):
        assert client.post(f"{start}{act}/", {"do": "yes"}).status_code == 200
    assert Saved.objects.count() + Feedback.objects.count() == 1


@pytest.mark.parametrize("act", ["save", "more", "less"])
def test_what_was_done_can_be_taken_back(client: Client, sent: Delivery, act: str):
    address = f"{local(own(sent).act)}/{sent.papers[0]['paper']}/{act}/"
    client.post(address, {"do": "yes"})
    client.post(address, {"do": "undo"})
    assert Saved.objects.count() + Feedback.objects.count() == 0


def test_less_takes_the_place_of_more(client: Client, sent: Delivery):
    start = f"{local(own(sent).act)}/{sent.papers[0]['paper']}/"
    client.post(f"{start}more/")
    client.post(f"{start}less/")
    assert Feedback.objects.get().value == -1


def test_an_action_link_is_good_for_its_own_letters_papers_only(client: Client, sent: Delivery):
    stranger = make.paper("Elsewhere")
    assert client.post(f"{local(own(sent).act)}/{stranger.pk}/save/").status_code == 404
    assert client.get(f"{local(own(sent).act)}/{sent.papers[0]['paper']}/erase/").status_code == 404


def test_saved_papers_are_listed_exported_and_removed(client: Client, sent: Delivery):
    paper = sent.papers[0]["paper"]
    client.post(f"{local(own(sent).act)}/{paper}/save/")
    saved = local(own(sent).saved)
    assert "On speech" in client.get(saved).content.decode()
    assert "@misc{example2026speech," in client.get(f"{saved}papers.bib").content.decode()
    assert "TI  - On speech\r\n" in client.get(f"{saved}papers.ris").content.decode()
    client.post(saved, {"paper": str(paper)})
    assert "On speech" not in client.get(saved).content.decode()


def test_the_private_feed_has_whole_letters(client: Client, sent: Delivery):
    answer = client.get(local(links.feed_url(sent.subscriber)))
    assert answer["Content-Type"].startswith("application/atom+xml")
    [entry] = ElementTree.fromstring(answer.content).findall(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title") == "3 June: On speech"
    assert "On stones" in (entry.findtext(f"{ATOM}content") or "")


def test_the_feed_of_an_erased_reader_is_gone(client: Client, sent: Delivery):
    address = local(links.feed_url(sent.subscriber))
    sent.subscriber.state = "forgotten"
    sent.subscriber.save()
    assert client.get(address).status_code == 404


def test_the_outbox_shows_both_parts(client: Client, sent: Delivery, settings: Any):
    from subscriptions.mail import backends, outgoing

    settings.MAIL_CHANNEL = "outbox"
    path = backends.write(Path(settings.OUTBOX_DIR), outgoing.as_message(letters([sent], make.NOW)[0]))
    assert path.name in client.get("/outbox/").content.decode()
    page = client.get(f"/outbox/{path.name}/").content.decode()
    assert "List-Unsubscribe-Post" in page
    assert "On speech" in page
    frame = client.get(f"/outbox/{path.name}/html/")
    assert "sandbox" in frame["Content-Security-Policy"]
    assert "On speech" in frame.content.decode()


def test_pages_lead_to_the_outbox_where_there_is_one(client: Client, settings: Any):
    settings.MAIL_CHANNEL = "outbox"
    assert 'href="/outbox/"' in client.get("/subscribe/").content.decode()


@pytest.mark.parametrize("changes", [{"PUBLIC": True, "MAIL_CHANNEL": "outbox"}, {"MAIL_CHANNEL": "smtp"}])
def test_there_is_no_outbox_page_where_mail_is_real(client: Client, settings: Any, changes: dict[str, Any]):
    for name, value in changes.items():
        setattr(settings, name, value)
    assert "/outbox/" not in client.get("/subscribe/").content.decode()
    assert client.get("/outbox/").status_code == 404


@pytest.mark.parametrize("name", ["..%2fsecret_key", "x.eml", ".eml", "a.txt"])
def test_the_outbox_opens_no_other_file(client: Client, settings: Any, name: str):
    settings.MAIL_CHANNEL = "outbox"
    assert client.get(f"/outbox/{name}/").status_code == 404
