"""One value a process that is dear to make: while a newer one is made in a thread, the old one goes on serving."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from threading import Lock, Thread
from typing import Generic, TypeVar

from django.db import connections

log = logging.getLogger(__name__)

Value = TypeVar("Value")


def in_thread(work: Callable[[], None], patience: float) -> None:
    """Run `work` in a thread with a database connection of its own; wait `patience` seconds for it at most."""

    def run() -> None:
        try:
            work()
        finally:
            connections.close_all()

    thread = Thread(target=run, name="keeping", daemon=True)
    thread.start()
    thread.join(patience)


class StaleWhileRevalidate(Generic[Value]):
    """The newest value made, and the key it was made for."""

    def __init__(self, behind: Callable[[Callable[[], None], float], None] = in_thread) -> None:
        self.behind = behind
        self._held: tuple[Hashable, Value] | None = None
        self._making = Lock()  # held by whoever makes a value, the thread behind included
        self._swapping = Lock()

    def clear(self) -> None:
        self._held = None

    def get(self, key: Hashable, make: Callable[[], Value], patience: float) -> Value:
        """The value of `key`; an older one where the new one is not ready within `patience` seconds.

        Only the first who asks for a new one waits at all, and all wait only where there is none yet.
        """
        if self._held is None:
            return self._first(key, make)
        if self._held[0] != key and self._making.acquire(blocking=False):
            self._start(key, make, patience)
        return self._held[1]

    def replace(self, old: Value, new: Value) -> None:
        """Put `new` in the place of `old`, unless another came there meanwhile."""
        with self._swapping:
            if self._held and self._held[1] is old:
                self._held = (self._held[0], new)

    def _first(self, key: Hashable, make: Callable[[], Value]) -> Value:
        with self._making:  # those who come while it is made wait for it, rather than each make their own
            if self._held is None:
                self._held = (key, make())
            return self._held[1]

    def _start(self, key: Hashable, make: Callable[[], Value], patience: float) -> None:
        """Whoever calls holds `_making`; it is given back when the value is made, or could not be."""

        def work() -> None:
            try:
                value = make()
                with self._swapping:
                    self._held = (key, value)
            except Exception:
                log.exception(
                    "a newer value could not be made; the old one serves on, and the next who asks tries anew"
                )
            finally:
                self._making.release()

        try:
            self.behind(work, patience)
        except RuntimeError:  # no thread to be had: the old value serves on
            self._making.release()
            log.exception("no thread could be started to make a newer value")
