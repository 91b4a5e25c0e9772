"""The nouns: what flows from the registry to a reader's mailbox.

    Watch → Release → Record → Snapshot → Change → Notice → Digest → Message → Delivery

Does not decide, fetch, store or send anything: frozen dataclasses and enums only, so that every other module may
import this one and this one imports nothing of the project.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

# What a decoded registry record consists of.  A record is untyped on purpose: fields appear and vanish with API
# releases, and a field this program does not know must still be compared.
Json = Any  # None | bool | int | float | str | list[Json] | dict[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """One published state of the whole registry, as ``GET /version`` names it."""

    api_version: str
    data_timestamp: str  # UTC, as the registry writes it; compared for equality only


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One study as the registry served it, checked to be whole and to be the one that was asked for."""

    nct_id: str
    body: bytes  # JSON, UTF-8, with the daily stamp cut out: see core/stamp.py
    content_hash: bytes  # SHA-256 of ``body``, 32 bytes
    stamp: str | None  # the day that was cut out, "yyyy-MM-dd"; None = the record carries none


class Reason(StrEnum):
    """Why a watch could not be verified against a release."""

    NOT_FOUND = "not_found"  # 404: the registry says that there is no such record
    ALIASED = "aliased"  # the registry answers with another record, which lists this ID as an obsolete one
    MISSING = "missing"  # left out of its list, and the registry failed when it was asked for alone
    MALFORMED_ID = "malformed_id"  # 400: the registry does not take this ID
    BLOCKED = "blocked"  # 403: the registry refuses this client; says nothing about the record
    RATE_LIMITED = "rate_limited"  # 429
    SERVER_ERROR = "server_error"  # 5xx, or a status that the contract does not know
    UNREACHABLE = "unreachable"  # no connection, a broken one, or a deadline passed
    TOO_LARGE = "too_large"  # the body passed the size cap
    NOT_JSON = "not_json"  # a body that is HTML, cut off, or otherwise not the JSON it should be
    WRONG_RECORD = "wrong_record"  # another record than the one asked for
    NO_RECORD = "no_record"  # JSON, but not a study: no protocol section, no status
    SHRUNK = "shrunk"  # much smaller than the last version: believed when the same content comes again
    LAGGING = "lagging"  # an answer from a machine that still serves the release before
    OUR_FAULT = "our_fault"  # this program failed on the record; the log says how

    @property
    def about_the_record(self) -> bool:
        """Whether the registry spoke about the record itself, so that two releases of it mean "gone"."""
        return self in {Reason.NOT_FOUND, Reason.ALIASED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A record that could not be had, and why.  Never a snapshot."""

    nct_id: str
    reason: Reason
    detail: str  # for the operator: the registry's own words where there are any, otherwise ours
    canonical_id: str | None = None  # ALIASED: the ID the registry answers with


class Severity(StrEnum):
    CRITICAL = "critical"
    MAJOR = "major"
    MINOR = "minor"
    NOISE = "noise"

    @property
    def rank(self) -> int:
        """0 is the worst, so that sorting puts it first."""
        return list(Severity).index(self)


class Place(StrEnum):
    """Where in a digest a change stands."""

    LINE = "line"  # a line of its own
    CLAUSE = "clause"  # named in a summary line of its trial
    FOOTER = "footer"  # context beside the trial's heading, not told as a change
    HIDDEN = "hidden"  # recorded, never told


class How(StrEnum):
    ADDED = "added"
    REMOVED = "removed"
    RENAMED = "renamed"
    REWORDED = "reworded"
    PROMOTED = "promoted"
    DEMOTED = "demoted"
    CHANGED = "changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One leaf that differs, or one item that a list gained or lost; meaning is added later."""

    path: str  # dotted, "[]" for "some item of this list"
    item: str | None  # the list item's identity in words; None where the path goes through no list
    how: How
    old: Json  # None where added
    new: Json  # None where removed
    doubtful: bool = False  # whether the item is the same one as before is not sure
    moved: bool = False  # a location that is in another place now, not only at an address in other words


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """A difference with its meaning, as readers, programs and the database see it.

    Contacts' names, telephone numbers and addresses are None in ``old``, ``new`` and ``item``.
    """

    id: str  # 16 hexadecimal digits; the same for the same change on any machine at any time
    nct_id: str | None  # None only in comparisons of partial records
    path: str
    item: str | None
    how: How
    label: str  # as on the registry's own pages
    category: str
    severity: Severity
    place: Place
    rules: tuple[str, ...]  # codes of the rules that made severity and place, in the order in which they spoke
    story: str  # the same in all changes that one sentence tells
    sentence: str
    headline: str  # the sentence's short form, for subjects
    old: Json
    new: Json

    @property
    def told(self) -> bool:
        """Whether a digest names this change, on its own line, as a clause or in a counted group."""
        return self.severity is not Severity.NOISE and self.place in {Place.LINE, Place.CLAUSE}


class Cadence(StrEnum):
    IMMEDIATE = "immediate"
    DAILY = "daily"
    WEEKLY = "weekly"


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """When a reader's digest windows close."""

    cadence: Cadence
    time_zone: str  # IANA name
    hour: int = 7  # local hour, 0 to 23; ignored by IMMEDIATE
    weekday: int = 0  # 0 = Monday; only WEEKLY looks at it
    working_days: tuple[int, ...] = (0, 1, 2, 3, 4, 5, 6)  # 0 = Monday; at least one; nothing closes on the others
    holidays: tuple[date, ...] = ()  # local dates, free like days that are no working days
    quiet: tuple[time, time] | None = None  # local, from … to just before …, may span midnight; whole five minutes
    merged_for: timedelta = timedelta(minutes=5)  # how long IMMEDIATE waits for more, at the most; 0 = not at all
    critical_pierces: bool = False  # whether critical changes wait for none of this, nor for a mute


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    address: str  # normalised: domain in lower case
    schedule: Schedule


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Who hears what, and when: one person, one schedule, and which changes of which trials it is for."""

    name: str  # as ``config explain`` shows it
    address: str  # normalised: domain in lower case
    schedule: Schedule
    watchlists: tuple[str, ...] = ()  # names; trials of any of them; () = of all
    tags: tuple[str, ...] = ()  # trials that have any of them; () = whatever they have
    severity: Severity = Severity.MINOR  # the least that is heard of
    categories: tuple[str, ...] | None = None  # of changes; None = all
    countries: tuple[str, ...] | None = None  # of sites; None = all


@dataclass(frozen=True, slots=True, kw_only=True)
class Watchlist:
    """Trials, and the people who hear about them."""

    name: str
    trials: tuple[str, ...]  # NCT IDs
    recipients: tuple[Recipient, ...]
    tags: tuple[str, ...] = ()  # of all its trials


class NoticeKind(StrEnum):
    NOW_WATCHING = "now_watching"
    CHANGED = "changed"
    GONE = "gone"
    FOUND_AGAIN = "found_again"
    NO_LONGER_WATCHING = "no_longer_watching"
    UNACKNOWLEDGED = "unacknowledged"  # a critical change that nobody has taken note of
    UNVERIFIED = "unverified"  # a trial, or with no trial the whole registry, could not be verified for too long
    VERIFIED_AGAIN = "verified_again"
    READER_LOST = "reader_lost"  # mail does not reach another reader of the trial any more

    @property
    def waits_for_window(self) -> bool:
        """Whether the notice waits for the reader's digest; what answers a reader's own act does not."""
        return self not in {NoticeKind.NOW_WATCHING, NoticeKind.NO_LONGER_WATCHING}


class Act(StrEnum):
    """What somebody did about a told story; the newest one counts."""

    ACKNOWLEDGED = "acknowledged"
    ASSIGNED = "assigned"  # open, and one person's task
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True, kw_only=True)
class StoryKey:
    """Names one story: a step of a record, and the sentence of it."""

    revision_id: int
    story: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledgement:
    """One act about one story."""

    key: StoryKey
    act: Act
    by: str  # an address, or the login name of who typed the command
    assignee: str | None = None  # ASSIGNED: the address of who is to look after it
    comment: str | None = None
    at: datetime

    @property
    def words(self) -> str:
        """Who did what when, as commands, pages and mails say it."""
        act = f"assigned to {self.assignee}" if self.act is Act.ASSIGNED else self.act.value
        said = f": {self.comment}" if self.comment else ""
        return f"{act} by {self.by} on {self.at:%Y-%m-%d %H:%M} UTC{said}"


class Phase(StrEnum):
    """How far the conversation with the mail server had gone: the last step that was begun."""

    CONNECT = "connect"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"
    DOT = "dot"  # from here on a lost answer leaves it uncertain whether the message was taken
    JOURNALLED = "journalled"  # the same, and the journal mailbox gets the message too, if anybody does

    @property
    def after_dot(self) -> bool:
        """Whether the message may have been taken when nothing was heard after this."""
        return self in {Phase.DOT, Phase.JOURNALLED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One mail to one person, complete as it will be sent."""

    id: str  # 32 hexadecimal digits: the outbox row
    message_id: str  # the Message-ID header, with its angle brackets; the same on every attempt
    sender: str  # envelope sender, an address
    recipient: str  # envelope recipient, an address
    subject: str  # as text, not encoded
    mime: bytes  # headers and body, CRLF line ends, 7-bit; for a target its document, see render/payload.py
    channel: str = "mail"  # or "target:NAME"
    return_token: str | None = None  # the word in the envelope sender by which a bounce is known; None = none


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """Proof that a channel took a message."""

    reply: str  # the server's words after the final dot, or the path of the file
    journal_refusal: str | None = None  # the server's words, when it did not take the journal mailbox as a recipient


class DeliveryState(StrEnum):
    PENDING = "pending"
    SENDING = "sending"  # an attempt is under way, or was when the process died
    DEFERRED = "deferred"  # will be tried again at ``next_attempt_at``
    UNCERTAIN = "uncertain"  # the answer to the final dot was lost: perhaps taken; settled from ``next_attempt_at`` on
    SENT = "sent"
    FOLDED = "folded"  # not taken in time, or it came back; what it told is told by a later message
    FAILED = "failed"  # given up, and the operator was told
    BARRED = "barred"  # to somebody who is not on ``mail.only_to``: never handed over


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where one message stands on its way."""

    message: Message
    state: DeliveryState
    phase: Phase | None  # of the last attempt; None = never tried
    attempts: int
    composed_at: datetime
    next_attempt_at: datetime
    reply: str | None = None  # the server's last words
    digest_id: int | None = None  # None = it tells nothing that another message could tell instead
    drill: bool = False  # it tells of changes that were only played
    unanswered: int = 0  # attempts whose final dot was not answered, and of which nothing more is known


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """What the field table says of one path."""

    path: str  # exact, or with "**" for "anything below"
    label: str
    plural: str | None  # lists: what several items are called
    category: str
    severity: Severity
    place: Place
    enum: str | None = None  # the enum that the values belong to, for their labels
    identity: tuple[tuple[str, ...], ...] = ()  # lists: alternatives of identifying fields, best first
    naming: tuple[tuple[str, ...], ...] = ()  # lists: alternatives of the fields that name an item in words
    overridden: bool = False  # the settings say the severity: no rule but "it means nothing" changes it
    placed: bool = False  # the settings say the place: no rule changes it


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRule:
    """What a transition of the overall recruitment status means."""

    severity: Severity
    wording: str  # a sentence in which {change}, {why} and {last_known} stand for what the record says


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """The tables that the comparison works with, loaded from the package's data files."""

    fields: Mapping[str, FieldRule]  # by path
    statuses: Mapping[tuple[str, str], StatusRule]  # by (from, to)
    enum_labels: Mapping[tuple[str, str], str]  # by (enum, value): the registry's words
    explanations: Mapping[str, str]  # by code of a rule: what it says, in a sentence
