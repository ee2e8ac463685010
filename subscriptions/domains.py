"""Readers by the domain of their address, in words that an index holds."""

from __future__ import annotations

from typing import Any

from django.db.models import Func


class Domain(Func):
    """What stands after the @ of an address. Nothing in it is a bound parameter: SQLite would pass the index by."""

    arity = 1
    template = "SPLIT_PART(%(expressions)s, '@', 2)"

    def as_sqlite(self, compiler: Any, connection: Any, **context: Any) -> tuple[str, Any]:
        template = "SUBSTR(%(expressions)s, INSTR(%(expressions)s, '@') + 1)"
        return self.as_sql(compiler, connection, template=template, **context)
