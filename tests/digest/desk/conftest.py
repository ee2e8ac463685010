"""Staff of every role, signed in; and a log that tests may empty again."""

from __future__ import annotations

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Group
from django.db import connection
from django.test import Client

from digest.desk import roles, triggers
from digest.models import Act

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


@pytest.fixture
def free_log(transactional_db):
    """For tests on a real connection: the rows of the log are taken away at the end, which its triggers forbid."""
    yield
    run(triggers.DROP)
    Act.objects.all().delete()
    run(triggers.CREATE)


def run(statements):
    """The log's triggers, made or dropped as somebody with the database's password could."""
    with connection.cursor() as cursor:
        for statement in statements[connection.vendor]:
            cursor.execute(statement)
