"""The time zones that are offered: one name for each place, as tzdata has it today, with its hours from UTC."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from functools import lru_cache
from importlib import resources
from typing import NamedTuple

from subscriptions.when import schedule

EVERYWHERE = "UTC"


class Zone(NamedTuple):
    """A zone, how it is shown, and its earlier names (with spaces between)."""

    name: str
    shown: str
    earlier: str


Groups = tuple[tuple[str, tuple[Zone, ...]], ...]


@lru_cache(maxsize=1)
def names() -> frozenset[str]:
    """UTC, and the zones of places that tzdata lists (`zone.tab`)."""
    rows = (line.split("\t") for line in _table("zone.tab") if not line.startswith("#"))
    return frozenset({EVERYWHERE, *(row[2] for row in rows)}) & schedule.zone_names()


@lru_cache(maxsize=1)
def _links() -> dict[str, str]:
    """Earlier names and what each is called today."""
    found = dict(line.split()[2:0:-1] for line in _table("tzdata.zi") if line.startswith("L "))
    everywhere = {"Etc/UTC": EVERYWHERE, "Etc/GMT": EVERYWHERE}
    return {old: everywhere.get(new, new) for old, new in found.items()} | everywhere


def canonical(name: str) -> str:
    """Today's name of a zone: `Asia/Calcutta` is `Asia/Kolkata`. A name that has no other stays itself."""
    today = name if name in names() else _links().get(name, name)
    return today if today in names() else name


@lru_cache(maxsize=4)
def groups(day: date) -> Groups:
    """The zones by region, with what they are from UTC at noon of a day; UTC stands first."""
    earlier: dict[str, list[str]] = {}
    for old in sorted(_links()):
        earlier.setdefault(canonical(old), []).append(old)
    noon = datetime.combine(day, time(12), tzinfo=UTC)
    regions: dict[str, list[Zone]] = {}
    for name in sorted(names() - {EVERYWHERE}):
        region, _, place = name.partition("/")
        shown = f"{place.replace('_', ' ').replace('/', ', ')} ({_offset(name, noon)})"
        regions.setdefault(region, []).append(Zone(name, shown, " ".join(earlier.get(name, ()))))
    everywhere = Zone(EVERYWHERE, "UTC", " ".join(earlier.get(EVERYWHERE, ())))
    return (("Everywhere", (everywhere,)), *((region, tuple(zones)) for region, zones in regions.items()))


def _offset(name: str, at: datetime) -> str:
    written = at.astimezone(schedule.zone_of(name)).strftime("%z")
    return f"UTC{written[:3]}:{written[3:5]}".replace("-", "\u2212")


def _table(name: str) -> list[str]:
    return resources.files("tzdata.zoneinfo").joinpath(name).read_text("utf-8").splitlines()
