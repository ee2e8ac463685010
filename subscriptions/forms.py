"""What readers fill in. Every refusal is a sentence beside its field that says what to do."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django import forms
from django.http import QueryDict

from subscriptions import addresses, bibliography, query, services, uploads
from subscriptions.bibliography import BadEntry, ListError, ParseResult, Reference
from subscriptions.models import Frequency, Subscriber, Topic
from subscriptions.query import tokenizer
from subscriptions.wants import interests, liked_papers
from subscriptions.when import schedule, week, zones

MOST_TEXT = 12_000
MOST_LIST = 40_000
MOST_NAMED = 20  # lines or entries that could not be read
HOURS = [(hour, f"{hour:02}:00") for hour in range(24)]
DAYS = list(enumerate(schedule.WEEKDAYS))
PAPERS = [3, 5, 10, 15, 20, 30, 50]
ADDRESS_ERRORS = {"required": "Write your e-mail address.", "max_length": "This address is longer than any can be."}


class WishesForm(forms.Form):
    """Topics ticked, and lines typed. `wishes` holds what was read of both, `sentences` the lines that tell of work.

    They hold what could be read, also while another line has an error.
    """

    topics = forms.CharField(required=False)
    queries = forms.CharField(
        required=False,
        max_length=MOST_TEXT,
        error_messages={"max_length": "This is too much text. Write one thing you work on per line."},
    )
    wishes: Sequence[interests.Wish] = ()
    sentences: Sequence[str] = ()

    @property
    def slugs(self) -> list[str]:
        """The topics ticked, as sent."""
        if not self.is_bound:
            return list(self.initial.get("topics", []))
        return [slug for slug in self._sent("topics") if slug]

    @property
    def unwanted(self) -> list[str]:
        """The canonical texts whose box "never show" is ticked."""
        return self._sent("muted")

    @property
    def unwanted_before(self) -> list[str]:
        """The canonical texts of typed lines that came with a minus and a ticked box."""
        return self._sent("was_muted")

    def _sent(self, name: str) -> list[str]:
        return cast("QueryDict", self.data).getlist(name)

    @property
    def lines(self) -> list[str]:
        return [line.strip() for line in self.cleaned_data.get("queries", "").splitlines()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if "queries" in self.errors:
            return cleaned
        self.sentences = [line for line in self.lines if query.is_prose(line)]
        wishes, errors = interests.read_each(self.slugs, self.filters)
        self.wishes = interests.mute(wishes, self.unwanted, self.unwanted_before)
        several = len(self.lines) > 1
        for error in errors[:MOST_NAMED]:
            self.add_error("queries" if error.number else None, _place(error, several))
        return cleaned

    @property
    def filters(self) -> list[str]:
        """The lines that are filters; every other place is empty, so that each keeps its number."""
        return ["" if line in self.sentences else line for line in self.lines]


class TasteForm(forms.Form):
    """Work described in sentences, and papers typed or brought as a file; each may be empty.

    `brought` is the file, once it was read: it stays so while the form is shown again.
    """

    description = forms.CharField(
        required=False,
        max_length=MOST_TEXT,
        error_messages={"max_length": f"This is too long; a few sentences do best (at most {MOST_TEXT:,} characters)."},
    )
    papers = forms.CharField(
        required=False,
        max_length=MOST_LIST,
        error_messages={
            "max_length": f"This list is too long for this box ({MOST_LIST:,} characters). Save it as a file, "
            "and choose that below."
        },
    )

    papers_file = forms.FileField(
        required=False,
        error_messages={
            "empty": "This file is empty. Choose another.",
            "invalid": "The file did not arrive. Choose it again.",
        },
    )
    papers_kept = forms.CharField(required=False, strip=False)
    papers_drop = forms.BooleanField(required=False)
    brought: uploads.Brought | None = None
    typed: ParseResult | None = None

    def clean_description(self) -> str:
        text: str = self.cleaned_data["description"].strip()
        if text and not tokenizer.tokens(text):
            raise forms.ValidationError("Write a few words about your work, such as: I study how children read.")
        return text

    def clean_papers(self) -> str:
        text: str = self.cleaned_data["papers"].strip()
        try:
            self.typed = bibliography.read(text) if text else None
        except ListError as error:
            raise forms.ValidationError(str(error)) from error
        if self.typed and not self.typed.references:
            raise forms.ValidationError([str(one) for one in self.typed.bad[:MOST_NAMED]])
        return text

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        upload = cleaned.get("papers_file")
        try:
            if upload:
                self.brought = uploads.taken(upload)
            elif not cleaned.get("papers_drop"):
                self.brought = uploads.carried_on(cleaned.get("papers_kept", ""))
        except ListError as error:
            self.add_error("papers_file", str(error))
        if len(self.liked) > liked_papers.MOST_LIKED:
            self.add_error(
                "papers", f"Together these are more than {liked_papers.MOST_LIKED:,} papers. Bring a part of them."
            )
        return cleaned

    @property
    def reading_list(self) -> str:
        """The file's text; empty without one."""
        return self.brought.text if self.brought else ""

    @property
    def liked(self) -> list[Reference]:
        """Every paper typed or brought, each once."""
        both = [shelf for shelf in (self.typed, self.brought and self.brought.shelf) if shelf]
        return list({one.identifier: one for shelf in both for one in shelf.references}.values())

    @property
    def untaken(self) -> list[BadEntry]:
        """The entries of both that could not be taken."""
        both = [shelf for shelf in (self.typed, self.brought and self.brought.shelf) if shelf]
        return [one for shelf in both for one in shelf.bad]


class ScheduleForm(forms.Form):
    """When and how much: what is left out keeps the form's initial value."""

    frequency = forms.CharField(required=False)
    hour = forms.IntegerField(required=False, error_messages={"invalid": "Choose a whole hour from 0 to 23."})
    weekday = forms.IntegerField(required=False, error_messages={"invalid": "Choose a day of the week."})
    days = forms.TypedMultipleChoiceField(
        required=False, choices=DAYS, coerce=int, error_messages={"invalid_choice": "Choose from the days of the week."}
    )
    zone = forms.CharField(required=False, max_length=64)
    papers_per_day = forms.IntegerField(
        required=False, error_messages={"invalid": f"Choose a whole number from 1 to {services.MOST_PAPERS}."}
    )
    text_only = forms.BooleanField(required=False)
    empty_day = forms.CharField(required=False)
    abstracts = forms.CharField(required=False)
    community_picks = forms.BooleanField(required=False)
    exploration = forms.BooleanField(required=False)

    def __init__(self, *args: Any, reader: Subscriber | None = None, **kwargs: Any) -> None:
        self.reader = reader or Subscriber()
        given = {name: getattr(self.reader, name) for name in ScheduleForm.base_fields}
        given["days"] = week.numbers(self.reader.days)
        kwargs["initial"] = given | kwargs.get("initial", {})
        super().__init__(*args, **kwargs)

    def clean_days(self) -> int | None:
        """To have ticked none is a choice only where days count; elsewhere those of before are remembered."""
        days = week.of(self.cleaned_data["days"])
        return days if days or self.cleaned_data.get("frequency") == Frequency.CHOSEN else None

    def clean_zone(self) -> str:
        return zones.canonical(self.cleaned_data["zone"])

    @property
    def wanted(self) -> dict[str, Any]:
        """The settings that were chosen; a box not ticked is a choice, an empty field is not."""
        boxes = ("text_only", "community_picks", "exploration")
        filled = {name: self.cleaned_data.get(name) for name in ScheduleForm.base_fields}
        return {name: value for name, value in filled.items() if name in boxes or value not in (None, "")}

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors.keys().isdisjoint(ScheduleForm.base_fields):
            try:
                services.check_settings(self.wanted, self.reader)
            except schedule.ScheduleError as error:
                self.add_error(error.field, error.message)
        return cleaned


class AddressForm(forms.Form):
    email = forms.CharField(max_length=254, error_messages=ADDRESS_ERRORS, strip=True)
    address: addresses.Address

    def clean_email(self) -> str:
        if not self.cleaned_data["email"] and not self.fields["email"].required:
            return ""
        try:
            self.address = addresses.read(self.cleaned_data["email"])
        except addresses.AddressError as error:
            raise forms.ValidationError(error.message) from error
        return self.address.typed


class PreviewForm(WishesForm, TasteForm):
    """What a preview is made from."""

    @property
    def described(self) -> str:
        """The description, and the sentences that were typed among the filters."""
        description = self.cleaned_data.get("description", "") if self.is_bound else ""
        return "\n".join(filter(None, [description, *self.sentences]))


class SignupForm(AddressForm, PreviewForm, ScheduleForm):
    """All of it on one page. With `preview` the address may still be missing."""

    def __init__(self, *args: Any, preview: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = not preview


class PauseForm(forms.Form):
    until = forms.DateField(required=False, error_messages={"invalid": "Write the date like 2026-06-30."})
    catch_up = forms.BooleanField(required=False)


def choices(form: ScheduleForm, now: datetime) -> dict[str, Any]:
    """What the templates offer in each list."""
    topics = Topic.objects.filter(is_active=True).order_by("position", "name")
    return {
        "form": form,
        "groups": interests.groups(topics),
        "frequencies": Frequency.choices,
        "hours": HOURS,
        "days": DAYS,
        "papers": PAPERS,
        "zones": zones.groups(now.date()),
        "zone": zones.canonical(str(form["zone"].value() or "")),
        "empty_days": Subscriber.EmptyDay.choices,
        "lengths": Subscriber.Abstracts.choices,
    }


def _place(error: interests.InterestError, several: bool) -> str:
    if not error.number:
        return error.message
    line = f"Line {error.number}, column" if several else "Column"
    return f"{line} {error.column}: {error.message}"
