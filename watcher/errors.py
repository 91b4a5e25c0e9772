"""Every error that this program raises on purpose: one base, one family for each edge.

Does not catch or log anything.  Each error reads well to an operator, carries its subject as attributes, and says
whether the same attempt is worth another try.
"""

from datetime import timedelta

from watcher.model import Phase, Reason


class TrialwatchError(Exception):
    """The base of all errors raised on purpose."""


# --- settings and input -----------------------------------------------------------------------------------------------


class SettingsError(TrialwatchError):
    """Settings or input that cannot be used: exit code 2.

    Attributes:
        problems: one sentence each, with the key or line, what was wrong and what would be right.
    """

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


# --- registry ---------------------------------------------------------------------------------------------------------


class RegistryError(TrialwatchError):
    """A request that gave no usable answer.

    Attributes:
        reason: which kind of failure.
        retry: whether the same request may succeed later in the same pass.
        retry_after: how long the registry asked us to wait; None = it did not say.
    """

    def __init__(
        self, reason: Reason, detail: str, *, retry: bool = False, retry_after: timedelta | None = None
    ) -> None:
        super().__init__(f"{reason.value.replace('_', ' ')}: {detail}")
        self.reason = reason
        self.detail = detail
        self.retry = retry
        self.retry_after = retry_after


# --- store ------------------------------------------------------------------------------------------------------------


class StoreError(TrialwatchError):
    """The database cannot do what was asked."""


class LeaseHeld(StoreError):
    """Another instance does the work: exit code 3.

    Attributes:
        holder: who, in words ("process 4711 on host mail01, since 2026-03-02 07:00 UTC").
    """

    def __init__(self, holder: str) -> None:
        super().__init__(f"another instance holds the work: {holder}")
        self.holder = holder


class OvertakenError(StoreError):
    """Another instance recorded something in between; what was about to be written is void and was not written."""


class BodyUnreadable(StoreError):
    """A stored snapshot cannot be read back, or is not what its address says."""

    def __init__(self, snapshot_id: int, nct_id: str, why: str) -> None:
        super().__init__(f"snapshot {snapshot_id} of {nct_id} cannot be read back: {why}")
        self.snapshot_id = snapshot_id
        self.nct_id = nct_id
        self.why = why


# --- mail -------------------------------------------------------------------------------------------------------------


class MailError(TrialwatchError):
    """A message was not handed over, or it is not known whether it was.

    Attributes:
        phase: the last step that was begun.
        reply: the server's words ("550 5.1.1 no such user"), or the failure in ours.
    """

    def __init__(self, phase: Phase, reply: str) -> None:
        super().__init__(reply)
        self.phase = phase
        self.reply = reply


class ChannelDown(MailError):
    """The channel as a whole does not work now; no message is to blame.  Try all of them again later."""


class ChannelRefused(MailError):
    """The channel does not work until the operator changes something: certificate, password, no STARTTLS."""


class MessageDeferred(MailError):
    """This message was not taken now (4xx).  Try it again later.

    Attributes:
        retry_after: how long the receiver asked us to wait; None = it did not say.
    """

    def __init__(self, phase: Phase, reply: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(phase, reply)
        self.retry_after = retry_after


class LineBroken(MessageDeferred):
    """The line broke before the final dot: not taken, and nobody refused it.  Try it again at once; if that breaks as
    well, later.
    """


class MessageRefused(MailError):
    """This message will not be taken (5xx).  Trying again is pointless."""


class MessageBarred(MailError):
    """This message is to somebody whom the settings allow no mail to; it was not handed over."""


class MessageUncertain(MailError):
    """The line broke between the final dot and its answer: the message may have been taken."""
