"""Letters on the web: one letter in the browser, what did not fit on it, and a reader's own feed of letters."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import feedgenerator
from django.utils.xmlutils import SimplerXMLGenerator
from django.views.decorators.http import require_safe

from digest.letters import letters, links, load
from digest.letters.compose import Composer, RenderedLetter
from digest.letters.policy import letter_policy
from digest.matching import PaperIndex
from digest.matching.load import interests_of, papers_of
from digest.matching.select import select
from digest.models import Delivery, Edition, Paper
from subscriptions.links import link_sessions, tokens, urls
from subscriptions.models import Subscriber

State = Delivery.State
SENT = (State.ACCEPTED, State.UNCERTAIN, State.AMBIGUOUS)
FEED_LETTERS = 20
MOST_LISTED = 200


@link_sessions.private
@require_safe
def letter(request: HttpRequest, token: str) -> HttpResponse:
    """The letter as it was sent, without the reader's own links: its address may be passed on."""
    delivery = _delivery(token)
    if delivery.subscriber.state == Subscriber.State.FORGOTTEN:
        return render(request, "site/letter_gone.html", status=410)
    response = HttpResponse(_composed([delivery])[0].html)
    response.headers["Content-Security-Policy"] = letter_policy("frame-ancestors 'none'")
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@link_sessions.private
@require_safe
def more(request: HttpRequest, token: str) -> HttpResponse:
    """What else matched, by what the reader follows now."""
    delivery = _delivery(token)
    editions = Edition.objects.filter(serial__gt=delivery.since, serial__lte=delivery.edition.serial or 0)
    there = {row["paper"] for row in delivery.papers}
    index = PaperIndex.build(papers_of(editions))
    wanted = interests_of([delivery.subscriber_id])[delivery.subscriber_id]
    chosen = select(index, wanted, MOST_LISTED + len(there), False)
    ids = [choice.paper for choice in chosen.choices if choice.paper not in there][:MOST_LISTED]
    papers = Paper.objects.in_bulk(ids)
    cards = [load.card(papers[pk]) for pk in ids if pk in papers]
    response = render(request, "site/letter_more.html", {"cards": cards, "letter": f"/l/{token}/"})
    response.headers["Referrer-Policy"] = "no-referrer"
    return response


@link_sessions.private
@require_safe
def feed(request: HttpRequest, token: str) -> HttpResponse:
    """The reader's last letters, whole, as Atom."""
    reader = reader_of("feed", token)
    sent = Delivery.objects.filter(subscriber=reader, state__in=SENT).exclude(papers=[])
    deliveries = list(sent.select_related("edition", "subscriber").order_by("-planned_at", "-id")[:FEED_LETTERS])
    response = HttpResponse(content_type="application/atom+xml; charset=utf-8")
    _atom(deliveries, links.feed_url(reader)).write(response, "utf-8")
    return response


class _Atom(feedgenerator.Atom1Feed):
    """Atom with whole letters: `content` beside the summary."""

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, str]) -> None:
        super().add_item_elements(handler, item)
        handler.addQuickElement("content", item["letter"], {"type": "html"})


def _atom(deliveries: list[Delivery], address: str) -> _Atom:
    site = urls.absolute("home")
    atom = _Atom(letters.feed_title(), site, "", feed_url=address, feed_guid=f"tag:{address}", language="en")
    for delivery, composed in zip(deliveries, _composed(deliveries), strict=True):
        atom.add_item(
            composed.subject,
            links.letter_url(delivery),
            composed.preheader,
            unique_id=delivery.uuid.urn,
            pubdate=delivery.settled_at or delivery.planned_at,
            updateddate=delivery.settled_at or delivery.planned_at,
            letter=composed.html,
        )
    return atom


def _composed(deliveries: list[Delivery]) -> list[RenderedLetter]:
    """The letters as anybody may see them."""
    facts = load.facts(deliveries)
    composer = Composer()
    found = []
    for delivery in deliveries:
        reader = facts.readers[delivery.subscriber_id]
        found.append(composer.write(letters.letter_input(delivery, reader, facts, links.shared(delivery))))
    return found


def _delivery(token: str) -> Delivery:
    try:
        identity, mark = links.identity("letter", token)
    except (tokens.TokenError, ValueError) as error:
        raise Http404("no such letter") from error
    delivery = Delivery.objects.select_related("edition", "subscriber").filter(uuid=identity).first()
    if delivery is None or delivery.state == State.SKIPPED or not urls.is_current(delivery.subscriber, mark):
        raise Http404("no such letter")
    return delivery


def reader_of(purpose: str, token: str) -> Subscriber:
    try:
        identity, mark = links.identity(purpose, token)
    except (tokens.TokenError, ValueError) as error:
        raise Http404("no such page") from error
    reader = Subscriber.objects.filter(uuid=identity).exclude(state=Subscriber.State.FORGOTTEN).first()
    if reader is None or not urls.is_current(reader, mark):
        raise Http404("no such page")
    return reader
