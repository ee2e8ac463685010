import pytest
from django.core.management import call_command

from tests import make


@pytest.mark.django_db
def test_models_and_migrations_agree():
    call_command("makemigrations", "--check", "--dry-run")


@pytest.mark.django_db
def test_builders_build():
    reader = make.subscriber(topics=[make.topic()], queries=["protein"])
    assert make.edition(papers=[make.paper()]).serial == 1
    assert [interest.label for interest in reader.interests.order_by("id")] == ["Speech", "protein"]
