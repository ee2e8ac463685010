"""Reads the environment (and `.env`) once, and says how to mend what is wrong with it.

Every problem is collected, so that one start names them all; `Environment.check()` raises
`ImproperlyConfigured` with one line a problem, each ending in what to do.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured

LOCAL_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})


class Environment:
    """Typed look-ups over a mapping of settings; problems are gathered, not raised one by one."""

    def __init__(self, base: Path, values: dict[str, str] | None = None) -> None:
        self.base = base
        self.problems: list[str] = []
        self._env = environ.Env()
        if values is None:
            self._read_dotenv(base / ".env")
        else:
            self._env.ENVIRON = dict(values)

    def _read_dotenv(self, path: Path) -> None:
        if not path.exists() or os.environ.get("OFFPRINT_DOTENV") == "no":
            return
        try:
            self._env.read_env(str(path))
        except (OSError, UnicodeDecodeError) as error:
            self.problem(f".env cannot be read ({error}). Make it a readable UTF-8 file.")

    def problem(self, sentence: str) -> None:
        self.problems.append(sentence)

    def text(self, name: str, default: str = "") -> str:
        """The setting as written (a leading `$` is kept, not looked up as another name); empty means unset."""
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
            self.problem(f"{name}={raw!r} is not {wants}. Write {wants}, or leave {name} out.")
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

    def database(self, name: str, default: str) -> dict[str, Any]:
        url = self.text(name, default) or default
        scheme = urlsplit(url).scheme
        if scheme not in {"sqlite", "postgres", "postgresql"}:
            self.problem(
                f"{name} must start with sqlite:/// or postgresql:// (it starts with {scheme!r}). "
                "Example: postgresql://offprint:password@127.0.0.1:5432/offprint"
            )
            url = default
        config: dict[str, Any] = self._env.db_url_config(url)
        return config

    def base_url(self, name: str, default: str) -> str:
        url = self.text(name, default).rstrip("/")
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            self.problem(f"{name}={url!r} is not a web address. Example: https://papers.example.org")
            return default
        if parts.path or parts.query:
            self.problem(f"{name}={url!r} must be a bare address without a path. Drop {parts.path or parts.query!r}.")
        return url

    def secret_key(self, name: str, kept_at: Path, public: bool) -> str:
        """The signing key: from the environment, or (on one machine only) kept in `kept_at`."""
        key = self.text(name)
        if key:
            if len(key) < 50:
                self.problem(f"{name} is shorter than 50 characters. {MAKE_A_KEY.format(name=name)}")
            return key
        if public:
            self.problem(f"{name} is not set, and the site is public. {MAKE_A_KEY.format(name=name)}")
            return "x" * 50
        return _kept_key(kept_at)

    def check(self) -> None:
        if self.problems:
            raise ImproperlyConfigured(
                "Offprint does not start, because of its settings (environment or .env):\n"
                + "\n".join(f"  - {line}" for line in self.problems)
            )


MAKE_A_KEY = "Put {name}=… into .env with the output of: python3 -c 'import secrets; print(secrets.token_urlsafe(64))'"


def is_local(url: str) -> bool:
    """True if the address leads to this machine only."""
    return (urlsplit(url).hostname or "") in LOCAL_HOSTS


def _kept_key(path: Path) -> str:
    """A key made once and kept beside the data, readable by its owner only."""
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        return path.read_text().strip()
    with os.fdopen(handle, "w") as file:
        key = secrets.token_urlsafe(64)
        file.write(key)
    return key
