"""The door to the postbox: every letter leaves through here."""

from __future__ import annotations
