"""Why a reader got no letter: a word that the ledger stores, and a sentence for people."""

from __future__ import annotations

NO_MATCH = "no_match"
NOTHING_NEW = "nothing_new"
EDITION_LATE = "edition_late"
EDITION_HELD = "edition_held"
TOO_LATE = "too_late"
ALREADY_SENT = "already_sent"
NO_INTERESTS = "no_interests"
UNSUBSCRIBED = "unsubscribed"
PAUSED = "paused"
SUPPRESSED = "suppressed"
NOT_CONFIRMED = "not_confirmed"
NOT_A_READER_YET = "not_a_reader_yet"
ERASED = "erased"
NOT_A_DAY = "not_a_day"
NOT_YET = "not_yet"
WAITING = "waiting"
DEMONSTRATION = "demonstration"
LEFT_MEANWHILE = "left meanwhile"
MOVED_MEANWHILE = "moved meanwhile"
RESTORED = "restored"

POLICY_REJECTED = "The provider or the reader's own mail server would not take it, as a matter of policy."
MESSAGE_REJECTED = "The provider could not take this very letter."
SENTENCES = {
    NO_MATCH: "None of the new papers matched what this reader asked for.",
    NOTHING_NEW: "No edition had come out since this reader's last letter.",
    EDITION_LATE: "The day's edition was not out within the time we wait for it; its papers come with the next letter.",
    EDITION_HELD: "A curator held the day's edition back; its papers come with the next letter.",
    TOO_LATE: "It was too late on that day to send it; its papers come with the next letter.",
    ALREADY_SENT: "This edition had already been sent to this reader.",
    NO_INTERESTS: "This reader has chosen no topic and written no filter.",
    UNSUBSCRIBED: "This reader had unsubscribed.",
    PAUSED: "This reader had paused the letters.",
    SUPPRESSED: "Nobody may write to this address (it bounced, complained, or asked for it).",
    NOT_CONFIRMED: "This reader has not confirmed the address yet.",
    NOT_A_READER_YET: "This reader had not yet confirmed the address on that day.",
    ERASED: "This reader's data were erased.",
    NOT_A_DAY: "This is not a day on which this reader gets letters.",
    NOT_YET: "This reader is due now, or at an hour still to come; the letter is planned at the next turn.",
    DEMONSTRATION: "This is a reader of the demonstration: no real mail goes there.",
    WAITING: "The day's edition is not out yet; this reader's letter waits for it.",
    # How a letter ended: the outcomes of `subscriptions.mail.outcomes`, and what was done about letters in doubt.
    "refused": "The provider refused this address for good.",
    "policy_rejected": POLICY_REJECTED,
    "message_rejected": MESSAGE_REJECTED,
    "unwelcome": POLICY_REJECTED,  # as older rows have it
    "poison": MESSAGE_REJECTED,  # as older rows have it
    "later": "The provider asked for it later, as often as we try.",
    "blocked": "The provider took nothing from us at that time.",
    "unclear": "The connection ended before the provider had said whether it took it.",
    "worker lost": "The program that was handing it over ended before there was an answer.",
    LEFT_MEANWHILE: "The reader left while it was in doubt.",
    MOVED_MEANWHILE: "The reader took another address while it was in doubt.",
    RESTORED: "The database was restored from a copy; it may have gone before.",
}

BY_STATE = {
    "pending": NOT_CONFIRMED,
    "paused": PAUSED,
    "unsubscribed": UNSUBSCRIBED,
    "suppressed": SUPPRESSED,
    "forgotten": ERASED,
}


def sentence(reason: str) -> str:
    """The sentence for a stored word; the word itself where it has none."""
    return SENTENCES.get(reason, reason.replace("_", " "))


TO_READER = (
    ("this reader's", "your"),
    ("This reader's", "Your"),
    ("This reader is", "You are"),
    ("This reader has", "You have"),
    ("This reader had", "You had"),
    ("The reader", "You"),
    ("this reader", "you"),
)


def to_reader(sentence: str) -> str:
    """A sentence about a reader, addressed to the reader."""
    for of_them, of_you in TO_READER:
        sentence = sentence.replace(of_them, of_you)
    return sentence
