"""The quick size of ``cold_starts``."""

from pathlib import Path

from tests.mail_office.servers import MailOffice
from tests.reliability.cold_starts import run

_STARTS, _SEED = 4, 3  # of these, some end before their first work and some after


def test_killed_and_started_again_the_command_tells_every_change(mail_office: MailOffice, tmp_path: Path) -> None:
    report = run(mail_office, tmp_path, count=_STARTS, seed=_SEED)

    assert report.failures(struck=["at_work"]) == []
    assert report.struck.before_work + report.struck.at_work == _STARTS
    assert report.verdict.published > 0
    assert report.verdict.mails > 0
