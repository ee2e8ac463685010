"""Which e-mail addresses we take, which two are the same person, and the keyed hash that outlives them.

Django's validator takes more than a mailbox can be (address literals, single-label hosts, invisible
characters inside the domain, 65-octet local parts), so stricter rules stand in front of it.
"""

from __future__ import annotations

import hashlib
import hmac as hmac_module
import re
import unicodedata
from dataclasses import dataclass

import idna
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator

MAX_OCTETS = 254  # RFC 5321 4.5.3.1.3, less the angle brackets
MAX_LOCAL_OCTETS = 64  # RFC 5321 4.5.3.1.1
EXAMPLE = "Write it like ada@example.org."
DEMONSTRATION = "demo.example.org"  # the domain of the first run's readers; RFC 2606 reserves example.org
# RFC 5322 atext; the first character may not start a spreadsheet formula, a mail option or a shell word.
_LOCAL = re.compile(r"[A-Za-z0-9_][A-Za-z0-9!#$%&'*+/=?^_`{|}~-]*(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DANGEROUS = re.compile(r"[|`%!]")  # routing and shell characters no provider gives out
_LOCAL_NAMES = frozenset({"localhost", "localdomain", "local", "invalid", "test", "onion"})  # RFC 6761
_INVISIBLE = ("Cf", "Cc", "Cs", "Co", "Cn", "Zs", "Zl", "Zp")
_LOOKS_LATIN = frozenset("аеорсухіјѕһԁԛԝӏьгтпкмвнαορνικ")
_validator = EmailValidator()
# Google delivers all of these to one mailbox: dots, a +tag and the second domain count for nothing
# (support.google.com/mail/answer/7436150 and answer/10313).
GOOGLE = frozenset({"gmail.com", "googlemail.com"})


class AddressError(ValueError):
    """Not an address we can write to; the message is a plain sentence that says what to do."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True)
class Address:
    """One accepted address.

    `typed`: as the reader wrote it (NFC, trimmed), and where letters go · `plain`: all lower case, domain in
    ASCII · `domain`: the ASCII domain, `gmail.com` for both of Google's · `shown`: a warning's text where the
    domain's letters come from several scripts, else empty.
    """

    typed: str
    plain: str
    domain: str
    shown: str = ""

    @property
    def key(self) -> str:
        """Which addresses are one person's: `plain`, and for Gmail without dots and `+tag`."""
        if self.domain not in GOOGLE:
            return self.plain
        local = self.plain.rpartition("@")[0].partition("+")[0]
        return f"{local.replace('.', '')}@{self.domain}"

    @property
    def budget(self) -> str:
        """The key without its `+tag`: tagged addresses are kept apart but share one allowance."""
        local, _, domain = self.key.rpartition("@")
        return f"{local.split('+', 1)[0]}@{domain}"


def read(email: str) -> Address:
    """The address in `email`; raises `AddressError` where a letter could not reach it."""
    typed = unicodedata.normalize("NFC", email.strip(" \t\r\n"))
    _check_characters(typed)
    local, at, domain = typed.rpartition("@")
    if not at or not local or not domain:
        raise AddressError(f"This is not an e-mail address: the @ or what stands around it is missing. {EXAMPLE}")
    _check_local(local)
    ascii_domain = _ascii_domain(domain)
    address = f"{local}@{ascii_domain}"
    if len(address.encode()) > MAX_OCTETS:
        raise AddressError("This address is longer than any mail server takes. Use a shorter one.")
    try:
        _validator(address)
    except ValidationError as error:
        raise AddressError(f"No letter can reach this address. {EXAMPLE}") from error
    domain = "gmail.com" if ascii_domain in GOOGLE else ascii_domain
    return Address(typed, address.lower(), domain, _warning(ascii_domain))


def canonical(email: str) -> str:
    """The form by which one person is one row (`Address.key`). Raises `AddressError`."""
    return read(email).key


def ascii_form(email: str) -> str:
    """The address with its domain in ASCII, as it stands in headers and envelopes; as it is where it is none."""
    if email.isascii():
        return email
    local, _, domain = email.rpartition("@")
    try:
        return f"{local}@{_ascii_domain(domain)}"
    except AddressError:
        return email


def hashes(address: Address) -> set[str]:
    """Every keyed hash under which the address may be suppressed: the mailbox's, and that of the address as written.

    Hashes cannot be folded, so those kept before the dots of Gmail counted for nothing are looked for too.
    """
    return {keyed_hash(address.key), keyed_hash(address.plain)}


def hmac(email: str) -> str:
    """Keyed hash of the canonical address, 64 hex digits. Raises `AddressError` like `canonical`."""
    return keyed_hash(canonical(email))


def keyed_hash(text: str) -> str:
    """HMAC-SHA256 of `text` under `ADDRESS_KEY`, 64 hex digits."""
    return hmac_module.new(settings.ADDRESS_KEY.encode(), text.encode(), hashlib.sha256).hexdigest()


def is_demonstration(email: str) -> bool:
    """Whether this is the address of a reader whom the first run made up."""
    return email.lower().endswith(f"@{DEMONSTRATION}")


def masked(email: str) -> str:
    """For logs and pages that may name a person but not tell the address: `a…@e…`."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain[:1]}…"


def _check_characters(typed: str) -> None:
    for character in typed:
        if unicodedata.category(character) in _INVISIBLE:
            raise AddressError("This address has a space or an invisible character in it. Type it anew, without.")
    if any(character in typed for character in '<>()[]\\,;:"'):
        raise AddressError(f"An address has no quotes, brackets, commas or colons. {EXAMPLE}")


def _check_local(local: str) -> None:
    if not local.isascii():
        raise AddressError("We can only write to addresses with plain letters (a-z) before the @.")
    if len(local) > MAX_LOCAL_OCTETS:
        raise AddressError(f"The part before the @ has more than {MAX_LOCAL_OCTETS} characters. Check the address.")
    if not _LOCAL.fullmatch(local) or _DANGEROUS.search(local):
        raise AddressError(f"The part before the @ is not one that mail servers give out. {EXAMPLE}")


def _ascii_domain(domain: str) -> str:
    """The domain in lower-case ASCII (IDNA 2008 after UTS 46 case folding)."""
    unlike = AddressError(f"“{domain}” is not a domain that gets mail. Check what stands after the @. {EXAMPLE}")
    try:
        folded = idna.uts46_remap(domain, std3_rules=True, transitional=False)
        # A look-alike that folds to plain letters (ⓔ, fullwidth) was typed to deceive, not to be read.
        if folded.isascii() and not domain.isascii():
            raise unlike
        ascii_domain = idna.encode(folded, strict=True, std3_rules=True).decode().lower()
    except idna.IDNAError as error:
        raise unlike from error
    labels = ascii_domain.split(".")
    if len(labels) < 2 or labels[-1] in _LOCAL_NAMES or labels[-1].isdigit() or len(labels[-1]) < 2:
        raise unlike
    return ascii_domain


def _warning(ascii_domain: str) -> str:
    """The ASCII form, to show before going on, where the domain's letters can be taken for others."""
    labels = [label for label in idna.decode(ascii_domain).split(".") if not label.isascii()]
    return ascii_domain if any(_mixes_scripts(label) or _is_lookalike(label) for label in labels) else ""


def _mixes_scripts(label: str) -> bool:
    scripts = {unicodedata.name(letter, "").split(" ")[0] for letter in label if letter.isalpha()}
    return len(scripts & {"LATIN", "CYRILLIC", "GREEK"}) > 1


def _is_lookalike(label: str) -> bool:
    """True where a label is written wholly in Cyrillic or Greek letters that also look Latin (аррӏе)."""
    return all(letter in _LOOKS_LATIN or letter.isascii() for letter in label)
