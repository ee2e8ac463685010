"""What the words of a mail server say of a letter: one reader for SMTP answers, provider reports and bounce mails.

An address is said not to exist (`GONE`) only where two signs agree: a permanent code or a report of failure, and a
status or words about the address itself. Any word about the sender, a policy, a quota or a limit outweighs them.

Sources: RFC 3463 and IANA's registry of enhanced status codes, RFC 5321 (reply codes), RFC 7505 (null MX).
"""

from __future__ import annotations

import re
from enum import StrEnum


class Kind(StrEnum):
    GONE = "gone"  # the address or its domain does not exist
    REFUSED = "refused"  # refused for good: without a reason, or as disabled
    FULL = "full"  # the reader's mailbox takes nothing more for now
    POLICY = "policy"  # the sender, its server or its authentication is refused
    LIMIT = "limit"  # the sender's own quota at its provider is used up
    CONTENT = "content"  # the size or the form of this message
    TEMPORARY = "temporary"  # a failure that passes, or a delivery that timed out
    UNSAID = "unsaid"  # no sign at all


# What an answer quotes says nothing: addresses (`no-such-user@`), web pages (`#mailboxfull`), host names in brackets.
_QUOTED = re.compile(
    r"https?://\S+|<[^<>\s]{1,320}@[^<>\s]{1,320}>|[\w.+=%~-]{1,200}@[\w-]{1,63}(?:\.[\w-]{1,63}){0,8}"
)
_STATUS = re.compile(r"(?<![\d.])([245]\.\d{1,3}\.\d{1,3})(?!\.?\d)")
_REPLY = re.compile(r"(?<![\w.,#:/-])([45])[0-5]\d(?=[\s-]|$)")
LONGEST = 4000  # characters of an answer that are looked at


def _any(*words: str) -> re.Pattern[str]:
    return re.compile("|".join(words), re.IGNORECASE)


_TOO_LARGE = _any(
    r"\b5\.(3\.4|2\.3|6\.\d)\b",
    r"(message|mail|header|line|body|file|attachment)s?.{0,20}(size|length|too (large|big|long))",
    r"(size|length) (limit|exceed)",
    r"(duplicate|missing|invalid|malformed) header",
)
# The reader's own mailbox, or the rate at which it takes mail.
_RECEIVING = _any(
    r"receiving (e-?mail|mail|messages?) (too|at a rate)",
    r"(can|may) receive (per|in)",
    r"recipient.{0,30}(receive|receiving|rate).{0,20}limit",
)
_LIMIT = _any(
    r"\b5\.(4\.5|1\.90)\b",
    r"(sending|submission|hourly|daily|monthly|24-hour|outbound|outgoing|frequency|user) (user |sending |message )*"
    r"(limit|quota|allowance)",
    r"(submission|sending) ?quota",
    r"too many (e-?mails?|mails?|messages?|letters|recipients|rcpts?)",
    r"too many (connections?|concurrent|sessions?|requests?|logins?)",
    r"(e-?mails?|mails?|messages?|recipients|letters|rate|limit(ed)?|quota|max(imum)?)\b.{0,40}"
    r"\b(per|an|each|every|in an?|of the|for the) (second|minute|hour|day|month)",
    r"(rate|frequency|message|sender|account|plan|recipients?) limit",
    r"limits? (is |was |has been |have been )?(exceeded|reached)|reached (your|the|its) .{0,40}limit|frequency limited",
    r"exceeded (the|your|its) .{0,40}(limit|max)|max(imum)? (emails|messages|recipients|credits)",
    r"throttl|unusual sending|(upgrade your|your current) plan|not enough credits|credits exceeded",
)
_FULL = _any(
    r"\b[45]\.2\.2\b",
    r"(mail ?(box|folder|drop)|inbox|maildir|recipient|user|account|storage|disk)\S{0,2} .{0,60}(full\b|quota)",
    r"over ?quota|exceeded storage|storage allocation|storage (is |was |has been )?exceeded",
    r"(insufficient|not enough) (system |disk |mailbox )?(storage|space)",
    r"\b552\b.{0,20}quota",
)
_QUOTA = _any(r"\bquota\b")
_SENDER = _any(
    r"\b5\.1\.[78]\b",
    r"\bsender('s)?(\b.{0,20}\b| )(address|domain|host|ip|id|verif\w*|reject\w*|denied|blocked)",
    r"\bsender('s)?(\b.{0,20}\b| )(not|is|was|unknown|refused)",
    r"(bad|invalid|unknown|unverified|outbound|unauthenticated|forged|spoofed|rejected|your) (outbound )?sender\b",
    r"(mail|envelope) from|from (address|domain|header)|return[- ]path|\b(helo|ehlo)\b",
    r"client host|your (ip|host|domain|server)",
)
_POLICY = _any(
    r"\b[45]\.7\.\d{1,3}\b",
    r"spam|unsolicited|bulk mail|virus|malware|phish|suspicious|abuse|complaint|reputation|greylist",
    r"polic(y|ies)|block(ed|ing|list|\b)|black ?list|deny ?list|dnsbl|\brbl\b|(?<!not )\blisted (in|at|by|on)|banned",
    r"authenticat|authoriz|authoris|\bauth\b|dmarc|dkim|\bspf\b|\bptr\b|reverse dns",
    r"relay(ing)? (access )?(denied|not|disallow)|(unable|not able|refus\w*|permit\w*|allow\w*) to relay|not relay",
    r"not permitted|not allowed|denied|disallowed|prohibited",
    r"content (is |was )?(rejected|denied|refused)|service (is )?(unavailable|not available|refused?)",
    r"not accepting (connections|mail from)|no smtp service",
)
# Microsoft 365 says so of an address that its directory does not have (learn.microsoft.com, "Fix NDR error 5.4.1").
_NO_DIRECTORY_ENTRY = re.compile(r"\b5\.4\.1\b.{0,340}recipient address rejected: access denied", re.IGNORECASE)
_DISABLED = _any(
    r"disabled|inactive|deactivated|suspended|locked|closed|expired account|not active",
    r"no longer (available|active|in use)",
    r"previously bounced|bounced address",  # the provider's own list of what it does not write to any more
)
_NO_DOMAIN = _any(
    r"\bnxdomain\b|null mx|no mx record|host unknown|unknown host|no such (domain|host)",
    r"(couldn't|could not|unable to|cannot) find any host|(host|domain)( or domain)?( name)? not found(?!,? try again)",
    r"(domain|host)( name)? (does ?n.t|does not) exist",
)
_PASSING = _any(
    r"time-?out|timed out|expired|retry|again later|try later|temporar|in the queue too long|keep trying",
    r"connection (refused|reset|lost)|not reachable|unreachable|could not (connect|deliver for the last)",
    r"dns query failed|unable to (connect|deliver this message after)|hop count|hops|\bloop\b|couldn.t create",
)
_NO_ADDRESS = _any(
    r"(user|recipient|account|mailbox|alias|addressee|address|person|username)( name| id| address)?( is| was)? "
    r"(unknown|not (found|known|listed|recognized)|invalid|nonexistent|non-existent|couldn.t be found)",
    r"(unknown|no such|no valid|nonexistent|non-existent|illegal|bad destination|unrecognized) "
    r"(or illegal )?(local )?(user|recipient|account|mailbox|address|person|alias|local-part|e-?mail|addressee)s?",
    r"(does ?n.?t|does not|do not|did not|no longer) exist|(does ?n.?t|does not) have an? .{0,60}account",
    r"(user|account|mailbox|address).{0,20}(deleted|removed|terminated)",
    r"not a (known|valid|local) (user|recipient|mailbox|address)",
    r"invalid (recipient|mailbox|user|rcpt|destination|final delivery)|mailbox unavailable|no mailbox here",
    r"unrout(e)?able address|not our customer|recip(ient)?not ?found",
)
_GONE_STATUS = re.compile(r"5\.1\.(1|2|3|6|10)|5\.4\.310")
# Statuses that leave open what failed, so that words may tell (RFC 3463: the others name another cause).
_OPEN_STATUS = re.compile(r"5\.(0\.\d+|1\.\d+|2\.[01]|3\.0|3\.5|4\.[04]|4\.310|5\.\d+)")


def kind(said: str, status: str = "", *, failed: bool = False) -> Kind:
    """What the server's words say. `status`: a report's status field (RFC 3464); `failed`: a failure is reported."""
    text = " ".join(_QUOTED.sub(" ", said[:LONGEST]).split())
    whole = f"{status} {text}"
    statuses = _STATUS.findall(whole)
    replies = _REPLY.findall(text)
    permanent = any(one.startswith("5") for one in [*statuses, *replies])
    passing = any(one.startswith("4") for one in [*statuses, *replies])
    other = _other_cause(whole, text)
    if other is not None:
        return other
    if _NO_DOMAIN.search(text) and (permanent or failed):
        return Kind.GONE
    if (passing and not permanent) or _PASSING.search(text):
        return Kind.TEMPORARY
    if _is_gone(text, statuses) and not passing and (permanent or failed):
        return Kind.GONE
    if permanent or _DISABLED.search(text):
        return Kind.REFUSED
    return Kind.UNSAID


def _other_cause(whole: str, text: str) -> Kind | None:
    """A cause that is not the address, whatever else is said."""
    if _RECEIVING.search(text):
        return Kind.FULL
    if _TOO_LARGE.search(whole):
        return Kind.CONTENT
    if _LIMIT.search(whole):
        return Kind.LIMIT
    if _FULL.search(whole):
        return Kind.FULL
    if _QUOTA.search(text):
        return Kind.LIMIT
    if _SENDER.search(whole):
        return Kind.POLICY
    if _NO_DIRECTORY_ENTRY.search(whole) and not re.search(r"\b[45]\.7\.\d", whole):
        return Kind.GONE
    return Kind.POLICY if _POLICY.search(whole) else None


def _is_gone(text: str, statuses: list[str]) -> bool:
    if _DISABLED.search(text) or not all(_OPEN_STATUS.fullmatch(one) for one in statuses):
        return False
    named = any(_GONE_STATUS.fullmatch(one) for one in statuses)
    return named or bool(_NO_ADDRESS.search(text))
