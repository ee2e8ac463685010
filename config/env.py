"""Reads the environment (and `.env`) once, and says how to mend what is wrong with it.

Every problem is collected as a `Finding`, so that one start names them all (`config/checks.py`).
"""

from __future__ import annotations

import io
import ipaddress
import os
import re
import secrets
import tempfile
from collections.abc import Callable
from email.utils import quote
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

import environ
import idna

from config import names
from config.findings import ERROR, Finding

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})
DOTENV_LINE = re.compile(r"(?:export )?([A-Za-z_][A-Za-z_0-9]*)=")
HALF_QUOTED = re.compile(r"""^\s*(?:"[^"]*|'[^']*)$""")
DOMAIN = re.compile(r"(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*")
MAILBOX = re.compile(
    r"(?:(?P<name>[^<>\x00-\x1f]*)<)?(?P<local>[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64})@(?P<domain>[^\s@<>]+)(?(name)>)"
)
NAME = re.compile(r"[^()<>@,;:\\\".\[\]]*")  # RFC 5322, section 3.2.3: a name with one of these is put in quotes
HOST = re.compile(r"[A-Za-z0-9_.:-]+")


class Environment:
    """Typed look-ups over a mapping of settings; problems are gathered, not raised one by one."""

    def __init__(self, base: Path, values: dict[str, str] | None = None) -> None:
        self.base = base
        self.findings: list[Finding] = []
        self._asked: set[str] = set()
        self._written: set[str] = set()
        self._env = environ.Env()
        if values is None:
            self._read_dotenv(base / ".env")
        else:
            self._env.ENVIRON = dict(values)

    def _read_dotenv(self, path: Path) -> None:
        if not path.exists() or os.environ.get("OFFPRINT_DOTENV") == "no":
            return
        try:
            content = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            self.problem(f".env cannot be read ({error}).", "Make it a readable UTF-8 file.", "E041")
            return
        self._env.read_env(io.StringIO("\n".join(self._good_lines(content))))

    def _good_lines(self, content: str) -> list[str]:
        """Lines that would be misread in silence are problems; their values may be secrets and are not shown."""
        good = []
        for number, line in enumerate(content.splitlines(), 1):
            found = DOTENV_LINE.match(line)
            if found and HALF_QUOTED.search(line[found.end() :]):
                sentence = f".env line {number} opens a quote and does not close it."
                self.problem(sentence, "Close it, or leave both out.", "E041")
            elif found:
                self._written.add(found[1])
                good.append(line)
            elif line.strip() and not line.startswith("#"):
                sentence = f".env line {number} is not NAME=value (no spaces before NAME or around =)."
                self.problem(sentence, "Mend the line.", "E041")
        return good

    def problem(self, sentence: str, fix: str, rule: str = "E040") -> None:
        self.findings.append(Finding(rule, ERROR, sentence, fix))

    def text(self, name: str, default: str = "") -> str:
        """The setting as written (a leading `$` is kept, not looked up as another name); empty means unset."""
        self._asked.add(name)
        return str(self._env.ENVIRON.get(name) or default).strip()

    def names(self, prefix: str) -> list[str]:
        """The settings whose names start with `prefix`, sorted."""
        return sorted(name for name in self._env.ENVIRON if name.startswith(prefix))

    def _read(self, name: str, default: Any, read: Callable[[str], Any], wants: str) -> Any:
        raw = self.text(name)
        if not raw:
            return default
        try:
            return read(raw)
        except (ValueError, KeyError):
            self.problem(f"{name}={raw!r} is not {wants}.", f"Write {wants}, or leave {name} out.")
            return default

    def flag(self, name: str, default: bool = False) -> bool:
        words = {"1": True, "true": True, "yes": True, "on": True}
        words |= {"0": False, "false": False, "no": False, "off": False}
        return bool(self._read(name, default, lambda raw: words[raw.lower()], "true or false"))

    def number(self, name: str, default: int, low: int, high: int) -> int:
        def read(raw: str) -> int:
            value = int(raw)
            if not low <= value <= high:
                raise ValueError(raw)
            return value

        return int(self._read(name, default, read, f"a whole number from {low} to {high}"))

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        def read(raw: str) -> str:
            if raw.lower() not in choices:
                raise ValueError(raw)
            return raw.lower()

        return str(self._read(name, default, read, "one of " + ", ".join(choices)))

    def words(self, name: str, default: tuple[str, ...] = ()) -> list[str]:
        raw = self.text(name)
        return [part.strip() for part in raw.split(",") if part.strip()] if raw else list(default)

    def colour(self, name: str, default: str) -> str:
        def read(raw: str) -> str:
            if not re.fullmatch("#[0-9a-fA-F]{6}", raw):
                raise ValueError(raw)
            return raw.lower()

        return str(self._read(name, default, read, "a colour such as #9a1c2c"))

    def picture_url(self, name: str) -> str:
        """The https address of a picture; empty where it is not set or cannot be used."""
        url = self.text(name)
        parts = _split(url)
        if not url:
            return ""
        if parts is None or parts.scheme != "https" or not HOST.fullmatch(parts.hostname or ""):
            self.problem(
                f"{name}={url!r} is not the address of a picture.", "Example: https://papers.example.org/logo.png"
            )
            return ""
        return url

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings of a database; the address may hold a password, so no problem repeats it."""
        url = self.text(name, default) or default
        example = "Example: postgresql://offprint:password@127.0.0.1:5432/offprint"
        parts = _split(url)
        if parts is None:
            self.problem(f"{name} cannot be read (a port that is no number, or a password with / ? # [ ]?).", example)
        elif parts.scheme not in {"sqlite", "postgres", "postgresql"}:
            self.problem(f"{name} must start with sqlite:/// or postgresql:// (now {parts.scheme!r}).", example)
        elif not parts.path.strip("/"):
            wants = "sqlite:////path/to/file" if parts.scheme == "sqlite" else "postgresql://…/name"
            self.problem(f"{name} names no database.", f"Write {wants}. {example}")
        else:
            default = url
        config: dict[str, Any] = self._env.db_url_config(default)
        return config

    def proxies(self, name: str) -> list[str]:
        """Networks whose X-Forwarded-For is believed: none, `private` for those of this machine and its private
        networks, or those that are listed."""
        raw = self.text(name)
        if raw.lower() in {"", "0", "false", "no", "off"}:
            return []
        if raw.lower() in {"1", "true", "yes", "on"}:
            return ["private"]
        wants = "true, false, or the proxies' addresses such as 192.0.2.7, 198.51.100.0/24"
        found: list[str] = self._read(name, [], _networks, wants)
        return found

    def domain(self, name: str, default: str) -> str:
        """A domain in its ASCII form, which is how it stands in letters (IDNA 2008)."""
        return str(self._read(name, default, _ascii_domain, "a domain such as example.org"))

    def mailbox(self, name: str, default: str) -> str:
        """An address with or without a name in front, its domain in ASCII and its name in quotes where it must be."""
        wants = "an address such as Offprint <papers@example.org>"
        return str(self._read(name, default, _mailbox, wants))

    def base_url(self, name: str, default: str) -> str:
        url = _in_ascii(self.text(name, default).rstrip("/"))
        parts = _split(url)
        if parts is None or parts.scheme not in {"http", "https"} or not HOST.fullmatch(parts.hostname or ""):
            self.problem(f"{name}={url!r} is not a web address.", "Example: https://papers.example.org")
            return default
        extra = parts.path or parts.query or parts.fragment or parts.username
        if extra:
            sentence = f"{name}={url!r} must be a bare address, with nothing but the host and port."
            self.problem(sentence, f"Drop {extra!r}.")
        return url

    def secret_key(self, name: str, kept_at: Path, public: bool) -> str:
        """The signing key: from the environment, or (on one machine only) kept in `kept_at`; '' where there is none."""
        key = self.text(name)
        if key or public:
            return key
        try:
            key = _kept_key(kept_at)
        except OSError as error:
            fix = f"Make its folder writable, or set {name}."
            if not any(one.id == "E043" for one in self.findings):  # the folder itself is named already
                self.problem(f"{kept_at} cannot be kept ({error.strerror}).", fix, "E042")
            return secrets.token_urlsafe(64)  # signs nothing: the start is refused
        if len(key) < 50:
            fix = "Delete it; a new one is made at the next start."
            self.problem(f"{kept_at} holds no key of 50 characters.", fix, "E042")
            return secrets.token_urlsafe(64)  # signs nothing: the start is refused
        return key

    def folders(self, name: str, folder: Path, *inside: str, written: bool = True) -> None:
        """Make the folder that `name` names, and those inside it; a problem if it must be `written` into and cannot."""
        try:
            for path in (folder, *(folder / one for one in inside)):
                path.mkdir(parents=True, exist_ok=True)
                if written and not os.access(path, os.W_OK | os.X_OK):
                    raise PermissionError(0, "this user may not write there", str(path))
        except OSError as error:
            fix = f"Give the folder to the user that runs Offprint, or set {name} to one that it may write into."
            self.problem(f"{name}: {error.filename} cannot be written into ({error.strerror}).", fix, "E043")

    def misspelt(self) -> None:
        """A name that nobody asked for is a setting that would do nothing. Call it when all have been read."""
        given = {name for name in self._asked if self._env.ENVIRON.get(name)}
        for name in sorted(self._written - self._asked):
            fix = names.instead(name, self._asked)
            if fix:
                self.problem(f"{name} in .env is not a setting of Offprint.", fix, "E044")
        for name in sorted(set(self._env.ENVIRON) - self._written - self._asked):
            fix = names.instead_in_environment(name, self._asked, given)
            if fix:
                self.problem(f"{name} in the environment is not a setting of Offprint.", fix, "E044")


def is_local(url: str) -> bool:
    """True if the address leads to this machine only."""
    return (urlsplit(url).hostname or "") in LOCAL_HOSTS


def _split(url: str) -> SplitResult | None:
    """The address in parts; None where its brackets or port make no sense."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _networks(text: str) -> list[str]:
    """Raises ValueError where one of them is no network."""
    return [str(ipaddress.ip_network(part.strip(), strict=False)) for part in text.split(",") if part.strip()]


def _in_ascii(url: str) -> str:
    """The address with its host in ASCII; as it was where that cannot be."""
    parts = _split(url)
    if parts is None or not parts.hostname or parts.hostname.isascii():
        return url
    try:
        host = _ascii_domain(parts.hostname)
    except ValueError:
        return url
    return url.lower().replace(parts.hostname, host, 1)


def _ascii_domain(text: str) -> str:
    """Raises ValueError where it is no domain."""
    plain = text.lower() if text.isascii() else idna.encode(text, uts46=True).decode()
    if not DOMAIN.fullmatch(plain):
        raise ValueError(text)
    return plain


def _mailbox(text: str) -> str:
    """Raises ValueError where it is no address."""
    found = MAILBOX.fullmatch(text.strip())
    if found is None:
        raise ValueError(text)
    name = (found["name"] or "").strip()
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = re.sub(r"\\(.)", r"\1", name[1:-1])
    address = f"{found['local']}@{_ascii_domain(found['domain'])}"
    return named(name, address) if name else address


def named(name: str, address: str) -> str:
    """`name <address>`, the name in quotes where it must be."""
    return f"{name} <{address}>" if NAME.fullmatch(name) else f'"{quote(name)}" <{address}>'


def _kept_key(path: Path) -> str:
    """A key made once and kept beside the data, readable by its owner only.

    It is written in full before it gets its name, so of two processes that start at once neither reads half a key.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=path.parent, prefix=".key-")
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(64))
        try:
            os.link(draft, path)
        except FileExistsError:
            pass  # the other process was first: its key counts
        finally:
            os.unlink(draft)
    return path.read_text().strip()
