"""What is wrong with the settings: one kind of record, told alike at every start and by `doctor`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from django.core.exceptions import ImproperlyConfigured

ERROR, WARNING = "error", "warning"


@dataclass(frozen=True, slots=True)
class Finding:
    """`id` names the rule (`E001`), `severity` is ERROR or WARNING; neither sentence nor fix shows a secret."""

    id: str
    severity: str
    sentence: str
    fix: str

    def __str__(self) -> str:
        return f"{self.sentence} {self.fix} (offprint.{self.id})"


class SettingsError(ImproperlyConfigured):
    """Offprint must not start; the message lists every error with its fix."""

    def __init__(self, findings: Iterable[Finding]) -> None:
        self.findings = tuple(findings)
        lines = [f"  - {one}" for one in self.findings]
        head = "Offprint does not start, because of its settings (environment or .env):"
        super().__init__("\n".join([head, *lines]))

    def as_json(self) -> str:
        """One object, as every command prints with `--json`."""
        return json.dumps({"error": str(self), "findings": [asdict(one) for one in self.findings]})


def refuse(findings: Iterable[Finding]) -> None:
    """Raise SettingsError if any of the findings is an error."""
    errors = [one for one in findings if one.severity == ERROR]
    if errors:
        raise SettingsError(errors)
