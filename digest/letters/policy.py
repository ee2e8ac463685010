"""What a browser may load for a letter that is shown as a page."""

from __future__ import annotations

from urllib.parse import urlsplit

from django.conf import settings


def letter_policy(*rules: str) -> str:
    """The Content-Security-Policy of a page that shows a letter: inline styles and the site's logo, nothing else."""
    logo = urlsplit(settings.BRAND["logo"])
    images = "img-src 'none'"
    if logo.netloc:
        images = f"img-src https://{logo.netloc}"
    fixed = ["default-src 'none'", "style-src 'unsafe-inline'", images, "base-uri 'none'", "form-action 'none'"]
    return "; ".join([*fixed, *rules])
