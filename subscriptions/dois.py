"""Finds the DOI in what publishers and people write: links, ids, sentences, fields of reference managers.

Every part of Offprint that reads a DOI calls `doi`, so that one paper has one DOI wherever it is named.
Publishers add tails to a DOI in the addresses of its pages (`/full`, `.pdf`, `v2`, `?af=R`); none is part of it.
"""

from __future__ import annotations

import re
from html import unescape
from urllib.parse import unquote

LONGEST = 200
_READ = 5_000  # characters of a text that are looked at

# ASCII only, as Crossref asks for since 2008. `<1661::AID-X>3.0.CO;2-2` is the end of a SICI (ANSI/NISO Z39.56).
_sici_end = r"<\d[^\s<>\"]{1,60}>\d\.\d\.[A-Za-z]{2};2"
_letter = r"[!$%'()*+,\-./0-9:;=@A-Z\[\]_a-z~]"
_doi = re.compile(rf"(?:(?<![\w.])|(?<=doi)|(?<=_))10\.\d{{4,9}}(?:\.\d+)*/(?:{_letter}|{_sici_end})+", re.IGNORECASE)
_invisible = re.compile("[\u00ad\u200b-\u200f\u2060\ufeff]")
_dashes = re.compile("[\u2010-\u2015\u2212]")  # as PDF files set a hyphen
_escaped = re.compile(r"\{?\\([_%&#$~])\}?")  # as BibTeX writes `_`
_next_one = re.compile(r"[,;](?:https?:|(?:doi:)?10\.\d{4,9}/|jsessionid=).*", re.IGNORECASE)

_pages = (
    "abs|abstract|asset|citation|citations|citedby|download|enhanced|epdf|epub|extract|figure|figures|full|full-text"
    "|fulltext|fulltextpdf|html|info|meta|metrics|pdf|pdfdirect|pdfft|pdfplus|reader|ref|references|refs|related"
    "|standard|suppl|suppl_file|supplementary|supplementary-material|suppinfo|summary|table|tables|xml"
)
_endings = (
    r"abstract|article-info|epub|extract|figures-only|full|full-text|full\+html|html?|long|pdf|short"
    r"|supplementary-material|xml"
)
_tails = (
    re.compile(rf"(?<=.)/(?:{_pages})(?:\.html?|\.pdf)?(?:/[\w.-]*)?$", re.IGNORECASE),
    re.compile(rf"\.(?:{_endings})$", re.IGNORECASE),
    re.compile(r"/-/.*$"),  # supplements at HighWire's sites
    re.compile(r"(?<=\d)v\d{1,2}(?:[./+].*)?$", re.IGNORECASE),
    re.compile(r"/\d{5,9}(?:/.*)?$"),
)
_VERSIONED, _NUMBERED = _tails[3:]
# bioRxiv and medRxiv: the version is part of the address alone. Elsewhere (`10.26434/chemrxiv-…-v2`) it is the DOI's.
_preprint = re.compile(r"10\.(?:1101|64898)/")
# Addresses at Oxford, MIT Press, IWA, AIP, ASME and other users of one platform go on with its own number and a file.
_numbered = re.compile(r"10\.(?:1093/[^/]+|1063|1083|1084|1085|1115|1121|1162|1182|1210|2166)/[^/]+/")
_CLOSING = {")": "(", "]": "["}


def doi(text: str) -> str:
    """The first DOI in a text, lower-cased (DOIs are the same in any case: doi.org handbook, 2.4), else nothing.

    One of more than LONGEST characters is none: cut off it would be another paper's.
    """
    if "10." not in text:
        return ""
    found = _doi.search(_plain(text[:_READ]))
    if not found or len(found[0]) > 2 * LONGEST:
        return ""
    name = _without_tails(_next_one.sub("", found[0])).lower()
    has_suffix = bool(name.partition("/")[2])
    return name if has_suffix and len(name) <= LONGEST else ""


def _plain(text: str) -> str:
    """The text without the escapes of addresses (twice at most), HTML and BibTeX, and with plain hyphens."""
    for _ in range(2):
        text = unquote(text) if "%" in text else text
    text = unescape(_escaped.sub(r"\1", text))
    return _dashes.sub("-", _invisible.sub("", text))


def _without_tails(name: str) -> str:
    while True:
        shorter = _unpunctuated(name)
        for tail in _tails:
            if _may_end(shorter, tail):
                shorter = _cut(shorter, tail)
        if shorter == name:
            return name
        name = shorter


def _may_end(name: str, tail: re.Pattern[str]) -> bool:
    """Whether addresses of this DOI's publisher have such a tail."""
    if tail is _VERSIONED:
        return bool(_preprint.match(name))
    return tail is not _NUMBERED or bool(_numbered.match(name))


def _cut(name: str, tail: re.Pattern[str]) -> str:
    """The name without the tail, if something of its suffix is left."""
    prefix, _, suffix = name.partition("/")
    return f"{prefix}/{tail.sub('', suffix) or suffix}"


def _unpunctuated(name: str) -> str:
    """Without the punctuation of the sentence around it; a closing bracket stays where its opening one is inside."""
    name = name.rstrip(".,;:!'*/~=%$+@")
    last = name[-1:]
    if last in _CLOSING and name.count(last) > name.count(_CLOSING[last]):
        return name[:-1]
    return name
