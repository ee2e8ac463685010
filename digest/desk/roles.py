"""Who may do what at the desk: four roles, four rights, nothing by default."""

from __future__ import annotations

from enum import StrEnum

from django.conf import settings
from django.contrib.auth.models import AbstractBaseUser, AnonymousUser, Group
from django_otp import user_has_device


class Right(StrEnum):
    """What a page or an act asks for."""

    VIEW = "view"  # look at the day, the numbers, the letters of no one in particular
    CURATE = "curate"  # choose papers, write notes, hold and release editions
    OPERATE = "operate"  # sources, readers by address, letters in doubt, holds
    ADMINISTER = "administer"  # erase and export readers, read who did what


ROLES: dict[str, frozenset[Right]] = {
    "viewer": frozenset({Right.VIEW}),
    "curator": frozenset({Right.VIEW, Right.CURATE}),
    "operator": frozenset({Right.VIEW, Right.OPERATE}),
    "admin": frozenset(Right),
}
User = AbstractBaseUser | AnonymousUser


def rights(user: User) -> frozenset[Right]:
    """Everything the user's groups allow; nobody without a group may do anything. Superusers are admins."""
    if not user.is_authenticated or not user.is_active:
        return frozenset()
    return frozenset().union(*(ROLES[name] for name in of(user)))


def of(user: User) -> list[str]:
    """The names of the user's roles, least first."""
    if getattr(user, "is_superuser", False):
        return ["admin"]
    names = set(user.groups.values_list("name", flat=True))  # type: ignore[union-attr]
    return [name for name in ROLES if name in names]


def with_right(right: Right) -> list[str]:
    """The names of the roles that have the right, least first."""
    return [name for name, held in ROLES.items() if right in held]


def needs_second_factor(user: User) -> bool:
    """Whether the user must still show (or set up) a second factor: all staff of a public site, and who has one."""
    if getattr(user, "is_verified", bool)():
        return False
    return bool(settings.PUBLIC) or user_has_device(user)


def make_groups() -> list[Group]:
    """The four groups, made where they are missing."""
    return [Group.objects.get_or_create(name=name)[0] for name in ROLES]
