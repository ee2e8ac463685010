"""The two template engines: one for HTML, which escapes, one for text, which must not.

Both fail on a name nobody passed in, so a misspelt variable cannot become an empty place in a letter.
"""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.templatetags.static import static
from django.urls import reverse
from django.utils.functional import lazy
from django.utils.translation import gettext, ngettext
from jinja2 import Environment, StrictUndefined
from jinja2.sandbox import ImmutableSandboxedEnvironment

from digest.letters import stylesheet, text
from digest.site.dates import long_date, short_date
from digest.site.outbox import has_outbox


def html_environment(**options: Any) -> Environment:
    return _environment({**options, "autoescape": True})


def text_environment(**options: Any) -> Environment:
    return _environment({**options, "autoescape": False})


def letter_html_environment(**options: Any) -> Environment:
    return _environment({**options, "autoescape": True}, ImmutableSandboxedEnvironment)


def letter_text_environment(**options: Any) -> Environment:
    return _environment({**options, "autoescape": False}, ImmutableSandboxedEnvironment)


def _environment(options: dict[str, Any], kind: type[Environment] = Environment) -> Environment:
    environment = kind(**{**options, "undefined": StrictUndefined}, trim_blocks=True, lstrip_blocks=True)
    environment.globals.update(
        static=static,
        url=_url,
        has_outbox=has_outbox,
        site_name=lazystr_of("SITE_NAME"),
        version=settings.VERSION,
        base_url=lazystr_of("PUBLIC_BASE_URL"),
        postal_address=settings.POSTAL_ADDRESS,
        brand=settings.BRAND,
        language=settings.LANGUAGE_CODE,
    )
    environment.add_extension("jinja2.ext.i18n")
    environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
    environment.filters.update(long_date=long_date, short_date=short_date)
    environment.filters.update(wrap=text.wrapped, rule=text.rule, dent=text.dent, inline_css=stylesheet.inline)
    return environment


def lazystr_of(name: str) -> Any:
    """A setting read when it is written out, because `up` may set the address after the engines are made."""
    return lazy(lambda: str(getattr(settings, name)), str)()


def _url(name: str, *args: Any, **kwargs: Any) -> str:
    return reverse(name, args=args or None, kwargs=kwargs or None)
