"""Letters signed for a mail server that does not sign."""

from __future__ import annotations

import email
from pathlib import Path
from typing import Any

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from digest.letters.letters import letters
from subscriptions.mail import dkim as mail_dkim
from subscriptions.mail import outgoing
from tests import make
from tests.digest.letters.posts import delivery

pytestmark = pytest.mark.django_db


@pytest.fixture
def record(tmp_path: Path, settings: Any) -> bytes:
    """A key in use, and its DNS record."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    (tmp_path / "dkim.pem").write_bytes(pem)
    settings.DKIM_KEY_FILE = str(tmp_path / "dkim.pem")
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return b"v=DKIM1; k=rsa; p=" + b"".join(public.split(b"\n")[1:-2])


def raw() -> bytes:
    [letter] = letters([delivery([make.paper()])], make.NOW)
    return outgoing.as_message(letter).message().as_bytes(linesep="\r\n")  # type: ignore[call-arg]


def test_a_signed_letter_verifies_and_covers_both_ways_out(record: bytes):
    signed = mail_dkim.signed(raw())
    assert dkim.verify(signed, dnsfunc=lambda name, timeout=5: record)
    fields = email.message_from_bytes(signed)["DKIM-Signature"]
    assert "list-unsubscribe : list-unsubscribe-post" in " ".join(fields.split())


@pytest.mark.parametrize("change", [(b"One-Click", b"Two-Click"), (b"We study", b"We sold")])
def test_a_changed_letter_does_not_verify(record: bytes, change: tuple[bytes, bytes]):
    signed = mail_dkim.signed(raw())
    assert change[0] in signed
    assert not dkim.verify(signed.replace(*change), dnsfunc=lambda name, timeout=5: record)


def test_without_a_key_the_letter_is_as_it_was(settings: Any):
    letter = raw()
    assert mail_dkim.signed(letter) == letter
