"""Commands for whoever runs the service: init, run, check, status, test-mail, doctor."""

import signal
import sys
from dataclasses import replace
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
    say,
    say_json,
    settings_from,
)
from watcher.errors import MailError, SettingsError, StoreError
from watcher.model import Cadence, DeliveryState

if TYPE_CHECKING:
    from watcher.actions.doctor import Finding
    from watcher.actions.first_settings import Wishes
    from watcher.app import Application
    from watcher.model import Delivery
    from watcher.pipeline import Round

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
    from watcher.actions.first_settings import Wishes, write_settings

    if settings.exists() and not force:
        raise SettingsError([f"{settings} is there already; edit it, or replace it with --force"])
    wishes = Wishes(
        operator=operator or "",
        trials=tuple(trial or ()),
        recipients=tuple(to or ()),
        cadence=cadence,
        time_zone=time_zone,
        sender=sender,
        smtp_host=smtp_host,
        smtp_username=smtp_username,
        smtp_password_file=smtp_password_file,
    )
    if operator is None:
        wishes = _write_answers(settings, wishes)
    else:
        write_settings(settings, wishes)
    say(f"Wrote {settings}. Look it over, then start the service with `trialwatch run`.")
    if wishes.smtp_host is None:
        say("No mail server is configured: mails will be written to files in state/mail.")


def _write_answers(settings: Path, wishes: "Wishes") -> "Wishes":
    """Ask until the answers make a settings file that loads, and return them.

    Raises:
        SettingsError: there is no terminal to ask at; or the same answers were given again, so that what is wrong is
            not among them.
    """
    from watcher.actions.first_settings import write_settings

    if not sys.stdin.isatty():
        problem = "--operator: whose address is told about trouble? Give one, as in --operator ops@example.org"
        raise SettingsError([problem])
    while True:
        answered = _ask(wishes)
        try:
            write_settings(settings, answered)
        except SettingsError as error:
            if answered == wishes:
                raise
            for problem in error.problems:
                complain(problem)
            say("Please answer again; an empty answer keeps what stands in brackets.")
            wishes = answered
        else:
            return answered


def _ask(wishes: "Wishes") -> "Wishes":
    """Ask for each wish, with the one that there is as the answer to confirm."""
    operator = typer.prompt("Your address, as the operator", default=wishes.operator or None)
    trials = typer.prompt("NCT IDs to watch, separated by spaces", default=" ".join(wishes.trials) or None)
    people = " ".join(wishes.recipients) or operator
    people = typer.prompt("Addresses that hear of them, separated by spaces", default=people)
    time_zone = typer.prompt("Their time zone", default=wishes.time_zone)
    host = typer.prompt("Mail server (empty: write mails to files)", default=wishes.smtp_host or "")
    return replace(
        wishes,
        operator=operator,
        trials=tuple(trials.split()),
        recipients=tuple(people.split()),
        time_zone=time_zone,
        smtp_host=host.strip() or None,
    )


def run(settings: SettingsPath = _SETTINGS) -> None:
    """Run the service until SIGTERM.  SIGHUP reads the settings again."""
    # Kept back until the service listens: by default the signal ends the process.
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGHUP})
    from watcher.app import open_application
    from watcher.service import Service, end_process

    with application(settings) as app:
        note = mail_note(app)
        if note:
            complain(note)

        def reopen() -> "Application":
            return open_application(settings_from(settings), database=app.database)

        kept = Service(app, reopen=reopen).run()
        sys.stdout.flush()
        end_process(ExitCode.DONE if kept else ExitCode.HELD)


def check(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Do one round now.

    Asks the registry, records what changed, composes what is due, and hands it over.
    """
    from watcher.actions.rounds import round_line, round_words
    from watcher.cli.progress import progress_bar

    with application(settings) as app, app.working():
        now = app.now()
        app.pipeline.deliver.recover(now=now)
        given_up_before = {each.message.id for each in _given_up(app)}
        with progress_bar("Verifying", sys.stderr) as advance:
            done = app.pipeline.run_round(now=now, progress=advance)
        given_up = [each for each in _given_up(app) if each.message.id not in given_up_before]
        if as_json:
            say_json({**round_line(done, app.channel.name), **_failures_line(done, given_up)})
        else:
            for line in round_words(done, app.channel.name):
                say(line)
            _say_mail_note(app)
        _report_failures(done, given_up)


def _given_up(app: "Application") -> list["Delivery"]:
    from watcher.store.outbox import unfinished

    with app.database.reading() as db:
        return [each for each in unfinished(db) if each.state is DeliveryState.FAILED]


def _failures_line(done: "Round", given_up: list["Delivery"]) -> dict[str, object]:
    """Name for programs what the round could not do."""
    refusals = done.outcome.refusals if done.outcome else ()
    return {
        "refused_trials": [{"nct_id": one.nct_id, "reason": one.reason, "detail": one.detail} for one in refusals],
        "mails_given_up": [
            {"to": one.message.recipient, "subject": one.message.subject, "reply": one.reply} for one in given_up
        ],
    }


def _report_failures(done: "Round", given_up: list["Delivery"]) -> None:
    """Name for people what the round could not do.

    Raises:
        RegistryError, MailError: a server could not be reached.
        Failed: something else was named.
    """
    refusals = done.outcome.refusals if done.outcome else ()
    for refusal in refusals:
        complain(f"{refusal.nct_id} not verified: {refusal.reason.value.replace('_', ' ')}: {refusal.detail}")
    for each in given_up:
        complain(f'the mail "{each.message.subject}" to {each.message.recipient} was given up: {each.reply}')
    if done.trouble:
        raise done.trouble
    if done.handed.trouble:
        raise done.handed.trouble
    if refusals or given_up:
        raise Failed(ExitCode.FAILURES)


def status(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Show what is verified, what waits, and what is wrong."""
    with application(settings, reading=True) as app:
        from watcher.actions.standing import standing_of

        standing = standing_of(app)
        if as_json:
            say_json(standing.as_json())
            return
        for line in standing.lines():
            say(line)
        _say_mail_note(app)


def send_test(
    address: Annotated[str, typer.Argument(help="Where to.")],
    settings: SettingsPath = _SETTINGS,
    as_json: AsJson = False,
) -> None:
    """Send a test mail now.

    Shows the server's words, whether it took the mail or not.
    """
    with application(settings, reading=True) as app:
        from watcher.actions.trial_mail import send_test_mail

        try:
            receipt = send_test_mail(app, address)
        except MailError as error:
            if as_json:
                say_json(
                    {"kind": "test_mail", "to": address, "sent": False, "reply": error.reply, "phase": error.phase}
                )
            raise
        if as_json:
            say_json({"kind": "test_mail", "to": address, "sent": True, "reply": receipt.reply, "phase": None})
        else:
            say(f"Handed over to {app.channel.name}: {receipt.reply}")
            _say_mail_note(app)


def doctor(settings: SettingsPath = _SETTINGS, as_json: AsJson = False) -> None:
    """Examine the installation.

    Settings, database, registry and mail server; says what to do about each trouble.
    """
    from watcher.actions.doctor import Verdict, broken_database, examine

    findings = []
    try:
        with application(settings, reading=True) as app:
            for finding in examine(app):
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
    note = mail_note(app)
    if note:
        say(note)
