"""How captured bounces are read, by kind of answer; `python -m tests.captured_bounces` prints the table of the docs.

The kinds are what a person reads in each mail. The mails (beside the checkout, never in it) are of some sixty servers;
the provider events are the ones that Anymail's own tests hold.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ADDRESS, DOMAIN, DISABLED = "no such address", "no such domain", "mailbox disabled"
POLICY, QUOTA, TEMPORARY = "policy, sender refused", "mailbox full, limit", "temporary, timed out"
OTHER, COMPLAINT, NO_REPORT = "other, or several recipients", "complaint", "no report"
PERMANENT = (ADDRESS, DOMAIN)
NEVER_FINAL = (POLICY, QUOTA, TEMPORARY, COMPLAINT, NO_REPORT)

MAILS = {
    ADDRESS: """
        lhost-activehunter-02 lhost-amazonses-10 lhost-amazonworkmail-01 lhost-courier-01 lhost-dragonfly-24
        lhost-exchange2003-04 lhost-exim-59 lhost-ezweb-04 lhost-gmail-01 lhost-imailserver-03 lhost-mailfoundry-01
        lhost-mailru-04 lhost-messagingserver-01 lhost-mfilter-01 lhost-notes-03 lhost-postfix-07 lhost-postfix-14
        lhost-postfix-30 lhost-postfix-36 lhost-qmail-01 lhost-sendmail-01 lhost-sendmail-19 lhost-sendmail-26
        lhost-sendmail-32 lhost-sendmail-50 lhost-verizon-01 lhost-x2-01 lhost-yahoo-03 lhost-yandex-01 rfc3464-65
        rhost-apple-05 rhost-franceptt-02 rhost-kddi-01 rhost-microsoft-02 rhost-yahooinc-03
    """,
    DOMAIN: """
        lhost-outlook-03 lhost-qmail-13 lhost-v5sendmail-02 lhost-yahoo-09 rfc3464-53 rfc3464-59 rhost-aol-05
        rhost-gsuite-05 rhost-outlook-03
    """,
    DISABLED: "rhost-google-01 rhost-google-07",
    POLICY: """
        lhost-amazonses-16 lhost-dragonfly-06 lhost-dragonfly-18 lhost-exchange2007-04 lhost-exim-03 lhost-exim-29
        lhost-exim-35 lhost-exim-47 lhost-mimecast-02 lhost-opensmtpd-14 lhost-postfix-42 lhost-postfix-54
        lhost-postfix-60 lhost-postfix-66 lhost-postfix-72 lhost-qmail-19 lhost-sendmail-07 lhost-sendmail-56
        rhost-franceptt-08 rhost-gsuite-11 rhost-mimecast-02 rhost-spectrum-01
    """,
    QUOTA: """
        lhost-amazonses-03 lhost-amazonworkmail-08 lhost-dragonfly-12 lhost-office365-12 lhost-postfix-48 lhost-x4-01
        rb-issue-368-bug
    """,
    TEMPORARY: """
        lhost-domino-03 lhost-dragonfly-30 lhost-exim-41 lhost-gmail-08 lhost-gmail-17 lhost-gmx-04 lhost-mailru-10
        lhost-messagingserver-07 lhost-office365-06 lhost-opensmtpd-05 lhost-qmail-07 lhost-surfcontrol-02 lhost-x2-07
        lhost-zoho-04 rfc3464-07
    """,
    OTHER: """
        lhost-exim-53 lhost-googlegroups-06 lhost-googlegroups-12 lhost-postfix-01 lhost-postfix-78 lhost-qmail-25
        lhost-receivingses-06 lhost-sendmail-13 lhost-sendmail-38 lhost-sendmail-44 rfc3464-29 rfc3464-39
    """,
    COMPLAINT: "arf-01 arf-16 arf-22",
    NO_REPORT: "is-not-bounce-01 is-not-bounce-02 rfc3834-05",
}
# The captured events of providers, by the name of the test they stand in; those that are left out tell of no failure.
EVENTS = {
    ADDRESS: """
        amazon_ses:test_bounce_event amazon_ses:test_multiple_bounce_event brevo:test_hard_bounce
        brevo:test_invalid_email mailersend:test_hard_bounced_event mailgun:test_invalid_mailbox
        mailjet:test_bounce_event mailjet:test_blocked_event mailtrap:test_bounce_event mandrill:test_hard_bounce_event
        postmark:test_bounce_event resend:test_hard_bounced_event sendgrid:test_bounce_event
        sendgrid:test_dropped_invalid_event sparkpost:test_bounce_event unisender_go:test_hard_bounced_event
    """,
    POLICY: """
        amazon_ses:test_reject_event brevo:test_blocked mailgun:test_rejected_event mailgun:test_dropped_spam
        mailtrap:test_reject_event sendgrid:test_dropped_unsubscribed_event
        postmark:test_bounce_unsubscribe_variant sparkpost:test_bounce_challenge_response
    """,
    TEMPORARY: """
        brevo:test_soft_bounce_event brevo:test_deferred_event brevo:test_error_email
        mailersend:test_soft_bounced_event mailgun:test_failed_temporary_event mailgun:test_failed_greylisted_event
        mailgun:test_dropped_timed_out mailjet:test_bounced_greylist_event mailtrap:test_soft_bounce_event
        postal:test_bounce_event postal:test_deferred_event sendgrid:test_deferred_event
        sparkpost:test_generation_failure_event sparkpost:test_generation_rejection_event
        unisender_go:test_soft_bounced_event
    """,
}


@dataclass
class Row:
    """How many there are of one kind, and which of them are read as permanent and which are not."""

    final: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return len(self.final) + len(self.others)


def mails(folder: Path) -> dict[str, Row]:
    """The kind of answer -> how its mails are read, for every mail of the folder. KeyError for one without a kind."""
    from digest.delivery.reports import bounces

    kinds = {name: kind for kind, names in MAILS.items() for name in names.split()}
    rows = {kind: Row() for kind in MAILS}
    for path in sorted(folder.glob("*.eml")):
        found = bounces.read(path.read_bytes())
        row = rows[kinds[path.stem]]
        (row.final if found and found.severity == "hard" else row.others).append(path.stem)
    return rows


def provider_events(folder: Path) -> dict[str, Row]:
    """The same for the providers' events."""
    from digest.delivery.reports import provider_report

    kinds = {name: kind for kind, names in EVENTS.items() for name in names.split()}
    rows = {kind: Row() for kind in EVENTS}
    for channel, name, event in _reported(folder):
        key = f"{channel}:{name}"
        if key in kinds:
            row = rows[kinds[key]]
            (row.final if provider_report.severity(channel, event) == "hard" else row.others).append(key)
    return rows


def _reported(folder: Path) -> Iterator[tuple[str, str, Any]]:
    for path in sorted(folder.glob("*_webhooks.json")):
        channel = path.stem.removesuffix("_webhooks")
        for case in json.loads(path.read_text()):
            name = case["test"].rpartition(".")[2]
            if case["name"] != "raw_ses_event" and f"{channel}:{name}" in str(EVENTS):
                for event in _parsed(channel, case["payload"]):
                    yield channel, name, event


def _parsed(channel: str, payload: Any) -> list[Any]:
    """As Anymail's own view reads them."""
    from django.test import RequestFactory

    from digest.delivery.reports import webhooks

    make, body = RequestFactory(), json.dumps(payload)
    if channel == "mandrill":
        request = make.post("/", {"mandrill_events": body})
    elif channel == "mailgun" and "event-data" not in payload:
        request = make.post("/", {"timestamp": "0", **payload})  # a part of the signature, which was taken off
    else:
        request = make.post("/", body, content_type="application/json")
    view: Any = webhooks.anymail_view(channel)
    reader = view.__new__(view)  # without its settings: only what is signed is asked of them
    events: list[Any] = reader.parse_events(request)
    return events


def table(data: Path) -> list[str]:
    """The lines of the table: kind, mails and how many of them end a reader, the same of the providers' events."""
    read, told = mails(data / "sisimai"), provider_events(data / "esp_webhooks_from_anymail")
    lines = []
    for kind, row in read.items():
        reported = told.get(kind, Row())
        lines.append(f"| {kind} | {row.count} | {len(row.final)} | {reported.count} | {len(reported.final)} |")
    return lines


def main() -> None:
    """Print the table."""
    import django

    django.setup()
    data = Path(__file__).resolve().parent.parent.parent / "shared" / "data" / "mail"
    print("| what the answer says | bounce mails | read as permanent | provider events | read as permanent |")
    print("|---|---|---|---|---|")
    print("\n".join(table(data)))


if __name__ == "__main__":
    main()
