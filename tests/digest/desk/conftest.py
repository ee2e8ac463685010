"""Staff of every role, signed in; and a log that tests may empty again."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.test import Client

from digest.desk import roles

ROLES = ("viewer", "curator", "operator", "admin")


@pytest.fixture
def staff(db):
    """`staff("curator")` is a user in that one group; `staff("nobody")` is in none."""
    roles.make_groups()

    def make_one(role, name=""):
        user, _ = get_user_model().objects.get_or_create(
            username=name or role, defaults={"email": f"{name or role}@example.org"}
        )
        user.groups.set(Group.objects.filter(name=role))
        return user

    return make_one


@pytest.fixture
def signed_in(staff):
    """`signed_in("curator")` is a browser in which a curator has signed in."""

    def make_one(role, name=""):
        client = Client()
        client.force_login(staff(role, name))
        return client

    return make_one


@pytest.fixture
def curator(signed_in):
    return signed_in("curator")


@pytest.fixture
def operator(signed_in):
    return signed_in("operator")
