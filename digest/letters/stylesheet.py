"""The letters' one stylesheet, written into the elements themselves: many mail programs read no other.

What only a stylesheet can say (dark mode, small screens) stays in the head for those that do.
"""

from __future__ import annotations

import css_inline
from markupsafe import Markup

_KEEP = ' data-css-inline="keep"'  # says which sheet stays; of no use to a reader
_WHOLE = css_inline.CSSInliner(minify_css=True, load_remote_stylesheets=False)


def inline(html: str) -> Markup:
    """A whole page with its `<style>` rules inlined and its at-rules kept; the filter `inline_css` of templates."""
    return Markup(_WHOLE.inline(str(html)).replace(_KEEP, ""))  # noqa: S704 - the template's own output, escaped before


def inline_fragment(html: str, css: str) -> str:
    """A piece of a page (whole tables only: anything less would be moved about) with `css` inlined."""
    return str(css_inline.inline_fragment(html, css, minify_css=True, load_remote_stylesheets=False))
