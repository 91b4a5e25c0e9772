"""What a notice tells that is of no recorded step: not served, not verified, not reaching somebody.  Pure."""

from watcher.core.digest import Sentence, Version
from watcher.model import NoticeKind, Severity
from watcher.store.notices import Notice


def remark_on_registry(notice: Notice) -> Sentence:
    """Return what a notice tells that is about no single trial."""
    if notice.kind is NoticeKind.UNVERIFIED:
        text = (
            f"None of your trials could be verified since {notice.detail}. What changes meanwhile is told afterwards."
        )
        headline, severity = "Nothing can be verified", Severity.MAJOR
    else:
        text = "Your trials are verified again. What changed meanwhile is told as usual."
        headline, severity = "Verified again", Severity.MINOR
    return Sentence(text=text, headline=headline, severity=severity, category="status")


def _on_verification(notice: Notice) -> Sentence:
    """Return that a trial cannot be verified, or can be again."""
    if notice.kind is NoticeKind.UNVERIFIED:
        text = f"This trial has not been verified since {notice.detail}. It is asked for again at every check."
        headline, severity = "Not verified any more", Severity.MAJOR
    else:
        text = "This trial is verified again. What changed meanwhile is told as usual."
        headline, severity = "Verified again", Severity.MINOR
    return Sentence(text=text, headline=headline, severity=severity, category="status")


def version_of_absence(notice: Notice) -> Version:
    """Return what a notice about a trial tells that is of no recorded step."""
    if notice.kind is NoticeKind.GONE:
        text = "The registry no longer serves this record"
        sentence = f"{text}, in two releases in a row: {notice.detail}. It is asked for again at every release."
        severity = Severity.CRITICAL
    elif notice.kind is NoticeKind.READER_LOST:
        return _version_of_loss(notice)
    elif notice.kind in {NoticeKind.UNVERIFIED, NoticeKind.VERIFIED_AGAIN}:
        return Version(origin="Seen by trialwatch", sentences=(_on_verification(notice),), clauses=(), not_told=0)
    else:
        text = sentence = "The registry serves this record again"
        severity = Severity.MAJOR
    told = Sentence(text=sentence, headline=text, severity=severity, category="status")
    return Version(origin="Seen by trialwatch", sentences=(told,), clauses=(), not_told=0)


def _version_of_loss(notice: Notice) -> Version:
    text = f"Mail does not reach {notice.detail}, who hears of this trial too"
    sentence = f"{text}: a mail about it came back, or was refused. Please make sure that they know."
    told = Sentence(text=sentence, headline=text, severity=Severity.MAJOR, category="status")
    return Version(origin="Seen by trialwatch", sentences=(told,), clauses=(), not_told=0)
