"""The DNS records that decide whether letters are believed: SPF, DKIM, DMARC, and a mailbox for answers.

Sources: Google's sender rules (support.google.com/mail/answer/81126), RFC 7208, RFC 6376, RFC 7489.
Without a network the records are `warn`, not `bad`: nothing is known of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.utils import parseaddr
from functools import partial

import dns.exception
import dns.resolver
from django.conf import settings

from digest.operate.doctor.finding import BAD, OK, WARN, Finding

PATIENCE = 3.0  # seconds for one name


class UnknownError(Exception):
    """The name servers could not be asked."""


def look() -> Iterator[Finding]:
    if not settings.PUBLIC:
        yield Finding("dns", "records", OK, "not looked up: the site is for this machine only")
        return
    sender = parseaddr(settings.MAIL_FROM)[1].rpartition("@")[2]
    answers = parseaddr(settings.MAIL_REPLY_TO)[1].rpartition("@")[2]
    yield _soft("site address", lambda: site(settings.SITE_HOST))
    yield _soft("SPF", lambda: spf(sender))
    yield _soft("DMARC", lambda: dmarc(sender))
    yield _soft("mailbox for answers", lambda: mx(answers))
    if not settings.DKIM_SELECTORS:
        fix = "Set DKIM_SELECTORS to the selector your provider or mail server signs with."
        yield Finding("dns", "DKIM", WARN, "no selector is named, so it could not be looked up", fix)
    for selector in settings.DKIM_SELECTORS:
        yield _soft(f"DKIM {selector}", partial(dkim, selector, sender))


def _soft(name: str, look: Callable[[], Finding]) -> Finding:
    try:
        return look()
    except UnknownError as error:
        return Finding("dns", name, WARN, f"could not be looked up ({error})", "Try again where the network is up.")


def records(name: str, kind: str) -> list[str]:
    """The records' texts; empty where there are none. Raises UnknownError when nobody could be asked."""
    try:
        found = dns.resolver.resolve(name, kind, lifetime=PATIENCE)
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []
    except (dns.exception.DNSException, OSError) as error:
        raise UnknownError(type(error).__name__) from error
    if kind == "TXT":
        return [b"".join(one.strings).decode("utf-8", "replace") for one in found]
    return [one.to_text() for one in found]


def site(host: str) -> Finding:
    found = records(host, "A") + records(host, "AAAA")
    if found:
        return Finding("dns", "site address", OK, f"{host} is {', '.join(found[:3])}")
    return Finding("dns", "site address", BAD, f"{host} has no address", f"Add an A or AAAA record for {host}.")


def spf(domain: str) -> Finding:
    found = [text for text in records(domain, "TXT") if text.lower().startswith("v=spf1")]
    if len(found) == 1 and not found[0].rstrip().endswith("+all"):
        return Finding("dns", "SPF", OK, f"{domain}: {found[0][:120]}")
    if len(found) > 1:
        return Finding("dns", "SPF", BAD, f"{domain} has {len(found)} SPF records", "Merge them into one (RFC 7208).")
    if found:
        return Finding("dns", "SPF", BAD, f"{domain}: {found[0][:120]}", "End it with ~all or -all, not +all.")
    fix = f'Add a TXT record at {domain}: "v=spf1 include:your-provider ~all".'
    return Finding("dns", "SPF", BAD, f"{domain} has none", fix)


def dmarc(domain: str) -> Finding:
    found = [text for text in records(f"_dmarc.{domain}", "TXT") if text.lower().startswith("v=dmarc1")]
    if len(found) == 1:
        return Finding("dns", "DMARC", OK, f"_dmarc.{domain}: {found[0][:120]}")
    fix = f'Have exactly one TXT record at _dmarc.{domain}, such as "v=DMARC1; p=none; rua=mailto:dmarc@{domain}".'
    return Finding("dns", "DMARC", BAD, f"_dmarc.{domain} has {len(found)}", fix)


def dkim(selector: str, domain: str) -> Finding:
    name = f"{selector}._domainkey.{domain}"
    keys = [text for text in records(name, "TXT") if "p=" in text.replace(" ", "")]
    if keys and "p=;" not in keys[0].replace(" ", "") and not keys[0].rstrip().endswith("p="):
        return Finding("dns", f"DKIM {selector}", OK, f"{name} holds a key")
    fix = f"Publish the key your provider shows at {name}."
    return Finding("dns", f"DKIM {selector}", BAD, f"{name} holds no key", fix)


def mx(domain: str) -> Finding:
    found = records(domain, "MX")
    if found and not any(text.endswith(" .") for text in found):
        return Finding("dns", "mailbox for answers", OK, f"{domain}: {', '.join(found[:3])}")
    fix = f"Add an MX record for {domain}, or set MAIL_REPLY_TO to a mailbox that takes answers."
    return Finding("dns", "mailbox for answers", BAD, f"{domain} takes no mail", fix)
