from __future__ import annotations

import pytest
from django.utils import timezone

from digest.models import Feedback, Saved
from subscriptions import services
from subscriptions.links import urls
from subscriptions.models import Subscriber
from subscriptions.signup import requests
from subscriptions.wants import liked_papers
from tests import make
from tests.make import NOW
from tests.subscriptions.pages import entered, sign_up, signup, text, visitor

pytestmark = pytest.mark.django_db
BIBTEX = "@article{a, title={Speech in noise}, doi={10.1000/abc}}\n@article{b, title={}}"


def post(reader: Subscriber, **fields):
    client, page = entered(urls.preferences_url(reader))
    response = client.post(page, fields)
    reader.refresh_from_db()
    return response


def test_a_signup_may_tell_of_ones_work_and_bring_papers():
    sign_up(description="I study how children read.", papers="2504.02302\n10.1000/abc")
    reader = Subscriber.objects.get()
    assert reader.descriptions.get().text == "I study how children read."
    assert reader.liked_papers.count() == 2
    client, page = entered(urls.confirm_url(reader))
    shown = text(client.get(page))
    assert "I study how children read." in shown
    assert "papers you named" in shown


def test_a_paper_named_by_its_id_alone_says_when_it_counts():
    sign_up(papers="9999.99999")
    reader = Subscriber.objects.get()
    services.confirm(reader, NOW)
    liked_papers.bring(reader, "@article{a, title={Speech in noise}, doi={10.1000/abc}}", NOW)
    client, page = entered(urls.preferences_url(reader))
    shown = text(client.get(page))
    assert shown.count("it counts once that paper is in the archive here") == 1
    assert "arxiv:9999.99999" in shown
    assert "Speech in noise" in shown


def test_a_second_signup_before_confirming_takes_the_place_of_the_first():
    sign_up(description="I study how children read.", papers="2504.02302")
    sign_up(description="I fold proteins.")
    reader = Subscriber.objects.get()
    assert [one.text for one in reader.descriptions.all()] == ["I fold proteins."]
    assert not reader.liked_papers.exists()


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"description": "…!"}, "Write a few words about your work"),
        ({"description": "word " * 3000}, "This is too long"),
        ({"papers": "no such thing"}, "neither an arXiv id nor a DOI"),
        ({"papers": "x" * 41_000}, "This list is too long"),
    ],
)
def test_what_cannot_be_taken_is_told_beside_its_field(fields, sentence):
    response = visitor().post("/subscribe/", signup(**fields))
    assert response.status_code == 422
    assert sentence in text(response)


def test_the_preview_follows_a_description():
    make.edition(papers=[make.paper("Children learning to read", abstract="Reading children."), make.paper("Galaxies")])
    page = text(visitor().post("/subscribe/preview/", {"description": "I study how children learn to read."}))
    assert "Children learning to read" in page
    assert "your description" in page


def test_descriptions_and_papers_are_kept_and_changed():
    reader = make.subscriber()
    response = post(reader, act="taste", description="I fold proteins.", papers=BIBTEX, likes_weight="2")
    assert "Papers taken in: 1 new" in text(response)
    assert "could not be read as a paper" in text(response)
    assert (reader.descriptions.get().text, reader.likes_weight) == ("I fold proteins.", 2.0)
    post(reader, act="taste", description="I fold paper.")
    assert reader.descriptions.get().text == "I fold paper."
    post(reader, act="taste", description="")
    assert not reader.descriptions.exists()


def test_a_bad_list_changes_no_description():
    reader = make.subscriber()
    assert post(reader, act="taste", description="I fold proteins.", papers="nothing here").status_code == 422
    assert not reader.descriptions.exists()


def test_one_paper_can_be_taken_off():
    reader = make.subscriber()
    post(reader, act="taste", papers="2504.02302")
    assert post(reader, act="drop:0").status_code == 422
    assert "no longer counts" in text(post(reader, act=f"drop:{reader.liked_papers.get().pk}"))
    assert not reader.liked_papers.exists()


def test_one_answer_can_be_taken_back():
    reader, other = make.subscriber(), make.subscriber()
    paper = make.paper("Speech in noise")
    Feedback.objects.create(subscriber=reader, paper=paper, value=1, at=NOW)
    assert post(other, act=f"unsay:{paper.pk}").status_code == 422
    assert "take back" in text(post(reader, act="taste"))
    assert "no longer counts" in text(post(reader, act=f"unsay:{paper.pk}"))
    assert not Feedback.objects.exists()
    assert post(reader, act=f"unsay:{paper.pk}").status_code == 422


def test_nobody_takes_a_paper_off_anothers_list():
    ada, eve = make.subscriber(), make.subscriber()
    post(ada, act="taste", papers="2504.02302")
    assert post(eve, act=f"drop:{ada.liked_papers.get().pk}").status_code == 422


def test_what_was_said_of_papers_is_shown_and_all_can_be_forgotten():
    reader, paper = make.subscriber(queries=["speech"]), make.paper("Speech in noise")
    Feedback.objects.create(subscriber=reader, paper=paper, value=1, at=NOW)
    Saved.objects.create(subscriber=reader, paper=paper, at=NOW)
    page = text(post(reader, act="taste", papers="2504.02302"))
    assert "Speech in noise" in page
    assert "Your saved papers" in page
    assert "forgotten" in text(post(reader, act="reset"))
    assert not Feedback.objects.exists()
    assert (reader.liked_papers.count(), reader.interests.count()) == (0, 1)


def test_s30_what_was_told_goes_with_an_erasure():
    reader = make.subscriber()
    post(reader, act="taste", description="I fold proteins.", papers="2504.02302")
    assert services.export(reader)["descriptions"][0]["text"] == "I fold proteins."
    services.forget(reader, timezone.now())
    assert (reader.descriptions.count(), reader.liked_papers.count()) == (0, 0)


def test_an_ask_without_these_is_taken_up_as_before():
    requests.store("signup", "ada@example.org", {}, "", NOW)
    assert requests.process(NOW) == {"signup": 1}
