"""Commands for whoever runs the service: init, run, check, status, test-mail, doctor."""

import sys
from contextlib import ExitStack
from functools import partial
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from watcher.cli.wiring import (
    DEFAULT_SETTINGS,
    AsJson,
    ExitCode,
    Failed,
    SettingsPath,
    application,
    complain,
    mail_note,
    opened,
    say,
    say_json,
    settings_from,
    settings_with_logs,
)
from watcher.errors import MailError, SettingsError, StoreError
from watcher.model import Cadence

if TYPE_CHECKING:
    from watcher.actions.doctor import Finding
    from watcher.actions.trial_mail import Look
    from watcher.app import Application
    from watcher.config.template import Wishes

_SETTINGS = Path(DEFAULT_SETTINGS)


def add_to(app: typer.Typer) -> None:
    """Register the commands in the order in which somebody needs them."""
    for command in (init, run, check, status, doctor):
        app.command()(command)
    app.command("test-mail")(send_test)


def init(
    operator: Annotated[
        str | None, typer.Option(help="Your address: told about trouble, named to the registry.")
    ] = None,
    trial: Annotated[list[str] | None, typer.Option(help="NCT ID to watch; may be repeated.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="Address that hears of it; may be repeated.")] = None,
    cadence: Annotated[Cadence, typer.Option(help="When the addresses hear.")] = Cadence.DAILY,
    time_zone: Annotated[str, typer.Option(help="Their time zone, an IANA name.")] = "UTC",
    sender: Annotated[str | None, typer.Option(help="Address that mails come from; yours unless given.")] = None,
    smtp_host: Annotated[str | None, typer.Option(help="Mail server; without one, mails become files.")] = None,
    smtp_username: Annotated[str | None, typer.Option(help="Login at the mail server.")] = None,
    smtp_password_file: Annotated[str | None, typer.Option(help="File that holds the password.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a settings file that is there.")] = False,
    settings: SettingsPath = _SETTINGS,
) -> None:
    """Write a settings file.  Asks for what is not given, if there is a terminal to ask at."""
    from watcher.actions.first_settings import problems_with, write_settings
    from watcher.cli.questions import ask
    from watcher.config.template import Wishes

    if _is_there(settings) and not force:
        raise SettingsError([f"{settings} is there already; edit it, or replace it with --force"])
    wishes = Wishes(
        operator=operator or "",
        trials=tuple(trial or ()),
        recipients=tuple(to or ()),
        cadence=cadence,
        time_zone=time_zone,
        sender=sender,
        smtp_host=smtp_host or None,
        smtp_username=smtp_username,
        smtp_password_file=smtp_password_file,
    )
    if operator is None:
        if not sys.stdin.isatty():
            problem = "--operator: whose address is told about trouble? Give one, as in --operator ops@example.org"
            raise SettingsError([problem])
        wishes = ask(wishes, partial(problems_with, settings))
    write_settings(settings, wishes)
    _say_what_next(settings, wishes)


def _is_there(settings: Path) -> bool:
    try:
        return settings.exists()
    except OSError:  # it cannot be looked at, nor written, which will be told
        return False


def _say_what_next(settings: Path, wishes: "Wishes") -> None:
    say(f"Wrote {settings}. Look it over, then start the service with `trialwatch run`.")
    if wishes.smtp_host is None:
        say("No mail server is configured: mails will be written to files in state/mail.")
    else:
        say(f"Mail goes through {wishes.smtp_host}: its port, security and login stand under [mail.smtp].")
        say(f"Try it with `trialwatch test-mail {wishes.operator}`.")


def run(settings: SettingsPath = _SETTINGS) -> None:
    """Run the service until SIGTERM.  SIGHUP reads the settings again."""
    from watcher.signals import Asked

    asked = Asked()
    asked.listen()  # before the imports that take time
    from watcher.app import open_application
    from watcher.service import end_process, serve

    first = settings_with_logs(settings)
    note = mail_note(first)
    if note:
        complain(note)

    def reopen(app: "Application") -> "Application":
        return open_application(settings_from(settings), database=app.database)

    with ExitStack() as work:
        kept = serve(lambda: work.enter_context(opened(first)), reopen=reopen, asked=asked)
        sys.stdout.flush()
        end_process(ExitCode.DONE if kept else ExitCode.HELD)


def check(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Do one round now.

    Asks the registry, records what changed, composes what is due, and hands it over.
    """
    from watcher.actions.rounds import do_round
    from watcher.cli.progress import progress_bar

    with application(settings) as app, app.working() as holder, app.renewing(holder):
        with progress_bar("Verifying", sys.stderr) as advance:
            report = do_round(app, progress=advance)
        if as_json:
            say_json(report.as_json())
        else:
            for line in report.lines():
                say(line)
            _say_mail_note(app)
    failures = list(report.failures())
    for failure in failures:
        complain(failure)
    if report.trouble:
        raise report.trouble
    if failures:
        raise Failed(ExitCode.FAILURES)


def status(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show what is verified, what waits, and what is wrong.

    Ends with 1 while mails do not get through, or nothing can be recorded: then no mail may reach you that says so.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.standing import standing_of

        standing = standing_of(app)
        if as_json:
            say_json(standing.as_json())
        else:
            for line in standing.lines():
                say(line)
            _say_mail_note(app)
    if standing.mail_trouble or standing.unrecordable:
        raise Failed(ExitCode.FAILURES)


def send_test(
    address: Annotated[str, typer.Argument(help="Where to.")],
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Send a test mail now.

    Shows the server's words, whether it took the mail or not, and looks whether it arrives in the journal mailbox.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.trial_mail import look_in_journal, send_test_mail

        try:
            sent = send_test_mail(app, address)
        except MailError as error:
            if as_json:
                say_json(
                    {"kind": "test_mail", "to": address, "sent": False, "reply": error.reply, "phase": error.phase}
                )
            raise
        reply = sent.receipt.reply
        if not as_json:
            say(f"Handed over to {app.channel.name}: {reply}")
            _say_mail_note(app)
        look = look_in_journal(app, sent, wait=app.stop.wait)
        if as_json:
            taken = {"kind": "test_mail", "to": address, "sent": True, "reply": reply, "phase": None}
            say_json({**taken, "journal": look.found, "journal_words": look.words})
    _say_look(look, as_json=as_json)


def _say_look(look: "Look", *, as_json: bool) -> None:
    from watcher.actions.trial_mail import InJournal

    if look.found in {InJournal.NO_JOURNAL, InJournal.ARRIVED}:
        if look.words and not as_json:
            say(look.words)
        return
    complain(look.words or look.found)
    raise Failed(ExitCode.UNREACHABLE if look.found is InJournal.UNREACHABLE else ExitCode.FAILURES)


def doctor(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Examine the installation.

    Settings, database, registry, mail server and targets; says what to do about each trouble.
    """
    from watcher.actions.doctor import Verdict, broken_database, examine
    from watcher.actions.targets import examine_targets

    findings = []
    try:
        with application(settings, reading=True) as app:
            for finding in chain(examine(app), examine_targets(app)):
                findings.append(finding)
                _say_finding(finding, as_json=as_json)
    except StoreError as error:
        findings.append(broken_database(error))
        _say_finding(findings[-1], as_json=as_json)
    if any(finding.verdict is Verdict.BAD and finding.unreachable for finding in findings):
        raise Failed(ExitCode.UNREACHABLE)
    if any(finding.verdict is Verdict.BAD for finding in findings):
        raise Failed(ExitCode.FAILURES)


def _say_finding(finding: "Finding", *, as_json: bool) -> None:
    if as_json:
        say_json(finding.as_json())
    else:
        say(f"{finding.verdict.value:<5} {finding.subject}: {finding.words}")


def _say_mail_note(app: "Application") -> None:
    note = mail_note(app.settings)
    if note:
        say(note)
