"""The starter sources, by their command."""

from __future__ import annotations

import io
import json

import pytest
from django.core.management import call_command

from digest.models import Source

pytestmark = pytest.mark.django_db


def added() -> int:
    out = io.StringIO()
    call_command("load_sources", "--json", stdout=out)
    return json.loads(out.getvalue())["added"]


def test_they_are_added_once_and_what_a_curator_changed_stays():
    assert added() == Source.objects.count() > 20
    Source.objects.filter(slug="huggingface").update(is_enabled=False)
    assert added() == 0
    assert not Source.objects.get(slug="huggingface").is_enabled
