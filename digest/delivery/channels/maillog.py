"""Postfix's own log, read as evidence: which of our letters it took, and for which it certainly did not.

Pure: lines in, verdicts out. A letter's Message-ID (cleanup) ties it to a queue id; a queue id that became
active (qmgr) or met a delivery (`status=`) had been taken. One whose client went away within the text had
not (postfix.org: smtpd(8), cleanup(8), qmgr(8)). What is neither stays in doubt, and so does everything where
the log itself is not whole at that moment.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta, tzinfo

_LINE = re.compile(rb"([A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d) \S+ (?:\S+/)?([\w-]+)\[(\d+)\]: (.*)")
_LETTER = re.compile(rb"([0-9A-Za-z]{6,20}): (.*)")
_OURS = re.compile(rb"message-id=<d\.([0-9a-f-]{36})@")
_CUT = re.compile(rb"(lost connection|timeout) after DATA ")
_NEW_LIFE = re.compile(rb"daemon started|killed by signal|(starting|stopping|aborting) the Postfix")
# They speak only while Postfix runs. The lines of a start may be the first after a power cut that took others away.
_WITNESSES = frozenset({b"smtpd", b"cleanup", b"qmgr"})


@dataclass(frozen=True)
class Window:
    """When the bytes of an attempt may have left, and the zone in which the log tells the time."""

    start: datetime
    end: datetime
    zone: tzinfo

    @property
    def is_straight(self) -> bool:
        """False where clocks change near it: an hour of such a log may mean two different ones."""
        around = (self.start - timedelta(hours=3), self.end + timedelta(hours=3))
        return len({one.astimezone(self.zone).utcoffset() for one in around}) == 1

    def read(self, stamp: bytes) -> datetime | None:
        """`Nov 25 06:00:01`, of the year that brings it nearest; None if it is no time."""
        start = self.start.astimezone(self.zone)
        found = []
        for year in (start.year - 1, start.year, start.year + 1):
            try:
                moment = datetime.strptime(f"{year} {stamp.decode('ascii', 'replace')}", "%Y %b %d %H:%M:%S")
            except ValueError:
                continue
            found.append(moment.replace(tzinfo=self.zone))
        return min(found, key=lambda one: abs(one - start), default=None)


def _is_delivery(program: bytes, said: bytes) -> bool:
    """A delivery agent's report. Cleanup and smtpd quote texts that others wrote."""
    return program not in {b"cleanup", b"smtpd"} and said.startswith(b"to=<") and b" status=" in said


@dataclass
class _Letter:
    """One mail in the making: `delivery` is ours, or nothing while its headers have not been read."""

    delivery: str = ""
    has_name: bool = False
    taken: bool = False
    cut: bool = False
    over: bool = False


@dataclass
class Record:
    """What the log says of the wanted deliveries. Feed it files in their order, then ask.

    `doubt` is the reason why its silence proves nothing; empty where the window lies whole within one
    file, in order, and Postfix ran through all of it.
    """

    window: Window
    wanted: frozenset[str]
    found: set[str] = field(default_factory=set)
    trouble: str = ""
    _letters: dict[bytes, _Letter] = field(default_factory=dict)
    _session: dict[bytes, _Letter] = field(default_factory=dict)
    _ours: list[_Letter] = field(default_factory=list)
    _nameless: list[_Letter] = field(default_factory=list)
    _begun: bool = False
    _past: bool = False
    _stamp: bytes = b""
    _at: datetime | None = None

    def feed(self, lines: Iterable[bytes]) -> None:
        """One file, from before the window (or from its first line) to its end."""
        if self._begun and not self._past:
            self._doubt("the log was rotated at that moment")
        for line in lines:
            if line.endswith(b"\n"):  # the newest line may still be under way
                self._take(line.rstrip(b"\r\n"))

    @property
    def doubt(self) -> str:
        """Why a wanted letter that was not found may have been taken all the same; nothing if it was not."""
        if not self.window.is_straight:
            return "the clocks changed near that moment"
        if not self._begun:
            return self.trouble or "the log does not reach back to that moment"
        if self.trouble or not self._past:
            return self.trouble or "the log does not reach past that moment yet"
        return "Postfix has not written down the end of a letter of that moment" if self._is_open else ""

    @property
    def _is_open(self) -> bool:
        """Whether a letter of the window may still be taken: its text was begun, and no end was written down."""
        unnamed = any(not (one.has_name or one.over or one.cut or one.taken) for one in self._nameless)
        return unnamed or any(not (one.taken or one.cut) for one in self._ours if one.delivery not in self.found)

    @property
    def _is_before(self) -> bool:
        return self._at is not None and self._at < self.window.start - timedelta(seconds=1)

    def _doubt(self, why: str) -> None:
        self.trouble = self.trouble or why

    # -- one line -------------------------------------------------------------------------------

    def _take(self, line: bytes) -> None:
        match = _LINE.fullmatch(line)
        if match is None:
            if not self._past:
                self._doubt("the log is damaged at that moment")
            return
        stamp, program, pid, words = match.groups()
        if stamp != self._stamp:
            self._tick(stamp)
        if self._at is not None and program in _WITNESSES:
            self._past = self._past or (self._begun and self._at > self.window.end)
        if program == b"smtpd":
            self._of_smtpd(pid, words)
        elif program in {b"master", b"postfix-script"}:
            self._of_master(words)
        else:
            self._of_letter(program, words)

    def _tick(self, stamp: bytes) -> None:
        at = self.window.read(stamp)
        if at is None or (self._at is not None and at < self._at - timedelta(seconds=2)):
            if not self._past:
                self._doubt("the log's clock went back at that moment")
            return
        self._stamp, self._at = stamp, at
        if self._is_before:  # whatever was wrong until here, the moment is still to come
            self._begun, self.trouble = True, ""

    def _of_smtpd(self, pid: bytes, words: bytes) -> None:
        current = self._session.get(pid)
        if words.startswith((b"connect from", b"disconnect from")):
            if current is not None:
                current.over = True
                del self._session[pid]
        elif _CUT.match(words):
            if current is not None:
                current.cut = True
        elif (match := _LETTER.fullmatch(words)) and match[2].startswith(b"client="):
            if current is not None:
                current.over = True
            fresh = self._letters[match[1]] = self._session[pid] = _Letter()
            if not self._past:
                self._nameless.append(fresh)

    def _of_master(self, words: bytes) -> None:
        """Lines of the last moments before a stop or a crash may be missing."""
        if _NEW_LIFE.search(words):
            if not self._past and not self._is_before:
                self._doubt("Postfix was started anew, or a part of it was killed, at that moment")
            self._session.clear()  # how they ended, nothing tells

    def _of_letter(self, program: bytes, words: bytes) -> None:
        match = _LETTER.fullmatch(words)
        if match is None:
            return
        queue_id, said = match.groups()
        if program == b"cleanup" and said.startswith(b"message-id="):
            self._name(self._letters.setdefault(queue_id, _Letter()), said)
        elif (program == b"qmgr" and said.endswith(b"(queue active)")) or _is_delivery(program, said):
            self._accept(self._letters.get(queue_id))
        elif said == b"removed":
            self._letters.pop(queue_id, None)

    def _name(self, letter: _Letter, said: bytes) -> None:
        letter.has_name = True
        match = _OURS.match(said)
        if match and match[1].decode() in self.wanted:
            letter.delivery = match[1].decode()
            self._ours.append(letter)
            if letter.taken:
                self.found.add(letter.delivery)

    def _accept(self, letter: _Letter | None) -> None:
        if letter is not None:
            letter.taken = True
            if letter.delivery:
                self.found.add(letter.delivery)
