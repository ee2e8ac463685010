"""Who does something at the desk, as the audit log names them."""

from __future__ import annotations

import getpass
import os
from dataclasses import dataclass

NOBODY = "nobody"  # the name of whoever has not signed in


@dataclass(frozen=True, slots=True)
class Actor:
    """A user's name, and the prefix of the network the request came from (empty for a command)."""

    name: str
    network: str = ""


def of_command() -> Actor:
    """The operating system's user, who runs a command. A container may run as a number that has no name."""
    try:
        return Actor(getpass.getuser())
    except (KeyError, OSError):
        return Actor(f"uid {os.getuid()}")
