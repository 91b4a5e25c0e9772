"""The composition root: settings → a wired application.  The only reader of the clock that says what time it is.

Whatever depends on the moment, or on chance, is given it from here.  Mail transfers measure their own time-outs, on the
clock that cannot be set, and names that must not be guessed are drawn where they are needed.

Does not decide anything and holds no state but the open database.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import requests.adapters
import sqlalchemy
import structlog

from watcher.config import Settings
from watcher.config.sections.imap import ImapSettings
from watcher.config.sections.mail import OAuth2Settings
from watcher.config.target_channels import target_channels
from watcher.core.fields import FieldTable
from watcher.core.targets import MAIL, TARGET
from watcher.errors import StoreError, TrialwatchError
from watcher.notify.allow_list import AllowListChannel
from watcher.notify.channel import Channel, Journal
from watcher.notify.files import FileChannel
from watcher.notify.imap_connection import ImapSecurity, ImapServer
from watcher.notify.journal import ImapJournal
from watcher.notify.mailbox import ImapMailbox, Mailbox
from watcher.notify.oauth2 import OAuth2Client, TokenSource
from watcher.notify.reports import read_report
from watcher.notify.smtp import SmtpChannel
from watcher.notify.smtp_connection import Security, SmtpServer
from watcher.pipeline import Pipeline
from watcher.processes import is_dead, this_process
from watcher.registry.asking import Asker, Surroundings
from watcher.registry.client import RegistryClient
from watcher.registry.connection import Connection, Limits
from watcher.registry.pace import Limiter
from watcher.render.letters import Letters, SubjectStyle
from watcher.render.links import Links
from watcher.render.templates import Templates
from watcher.stages.all_clear import AllClears
from watcher.stages.bounces import Bounces
from watcher.stages.check import Check
from watcher.stages.deliver import Conditions, Deliver, Patience
from watcher.stages.digest import Digest
from watcher.stages.proof import Proof
from watcher.stages.reconciliation import Reconciliation
from watcher.stages.remind import Remind
from watcher.stages.writing import ReturnPath, Sender, Signs, Writer
from watcher.store.database import Database
from watcher.store.leases import (
    RENEW_EVERY,
    Holder,
    acquire,
    current_holder,
    living_holder,
    release_lease,
    renew,
)
from watcher.store.lists import declare_lists
from watcher.store.schema import upgrade
from watcher.tables import load_rules

Clock = Callable[[], datetime]

_RELEASE_TIMEOUT = timedelta(seconds=2)  # an end must not wait for others' transactions
_log = structlog.get_logger("app")


class Stopped(TrialwatchError):
    """The service is ending; what was under way is left as recorded."""


class StopSignal:
    """Set once, from any thread or signal; everything that waits wakes up."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def set(self) -> None:
        self._event.set()

    def is_set(self) -> bool:
        return self._event.is_set()

    def wait(self, duration: timedelta) -> None:
        """Sleep, unless the service ends.

        Raises:
            Stopped: it does.
        """
        if self._event.wait(duration.total_seconds()):
            raise Stopped("the service is ending")


def system_clock() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """Everything wired together, on an open database."""

    settings: Settings
    database: Database
    table: FieldTable
    connection: Connection
    registry: RegistryClient
    channel: Channel  # of mails
    journal: Journal | None  # what the mail server took, if there is a mailbox that knows
    targets: Mapping[str, Channel]  # by "target:NAME"
    writer: Writer
    pipeline: Pipeline
    now: Clock
    monotonic: Callable[[], float]  # seconds; for what must not depend on whether the clock is set
    stop: StopSignal

    @contextmanager
    def working(self) -> Iterator[Holder]:
        """Hold the lease, so that no other instance does the same work.

        Raises:
            LeaseHeld: another instance does it now.
        """
        holder = this_process()
        with self.database.writing() as db:
            other = current_holder(db)
            acquire(db, holder, now=self.now(), previous_is_dead=other is not None and is_dead(other))
        try:
            yield holder
        finally:
            self._release(holder)

    @contextmanager
    def renewing(self, holder: Holder, every: timedelta = RENEW_EVERY) -> Iterator[None]:
        """Keep the lease however long the block takes; stop the work when another instance has taken it over."""
        ended = threading.Event()

        def renew_on() -> None:
            while not ended.wait(every.total_seconds()):
                try:
                    with self.database.writing() as db:
                        held = renew(db, holder, now=self.now())
                except StoreError as error:
                    _log.warning("the lease was not renewed; it is tried again", error=str(error))
                    continue
                if not held:
                    _log.error("another instance took the work over")
                    self.stop.set()
                    return

        renewing = threading.Thread(target=renew_on, name="lease", daemon=True)
        renewing.start()
        try:
            yield
        finally:
            ended.set()
            renewing.join(_RELEASE_TIMEOUT.total_seconds())

    def _release(self, holder: Holder) -> None:
        """Give the lease back, unless the database keeps us waiting: then it runs out, or is found a dead process's."""

        def release() -> None:
            try:
                with self.database.writing() as db:
                    release_lease(db, holder)
            except StoreError as error:
                _log.warning("the lease was not given back; it runs out", error=str(error))

        releasing = threading.Thread(target=release, name="release", daemon=True)
        releasing.start()
        releasing.join(_RELEASE_TIMEOUT.total_seconds())

    def declare_lists(self) -> None:
        """Bring the watch lists and routes that the settings file declares into the database."""
        with self.database.writing() as db:
            self._declare(db)

    def declare_lists_unless_served(self) -> None:
        """The same for a command, unless a service runs: that reads an edited file when it is told to."""
        with self.database.writing() as db:
            holder = living_holder(db, now=self.now())
            if holder is not None and not is_dead(holder):
                return
            self._declare(db)

    def _declare(self, db: sqlalchemy.Connection) -> None:
        settings = self.settings
        routes, catch_all = settings.routes(), settings.last_reader()
        declare_lists(db, settings.watchlists(), now=self.now(), routes=routes, catch_all=catch_all)

    def close(self) -> None:
        self.connection.close()
        self.database.close()


def open_application(
    settings: Settings,
    *,
    now: Clock = system_clock,
    monotonic: Callable[[], float] = time.monotonic,  # seconds that go by, whoever sets the clock
    stop: StopSignal | None = None,  # set by whoever ends the service
    database: Database | None = None,  # open and up to date; None = the one that the settings name is opened
    transport: requests.adapters.BaseAdapter | None = None,  # answers requests in the network's place, for a replay
    channel: Channel | None = None,  # takes mails; None = the one that the settings name
    mailbox: Mailbox | None = None,  # where reports come to, if they are read; None = the one that the settings name
    journal: Journal | None = None,  # knows what was taken; None = the one that the settings name, if they do
    chance: Callable[[], float] = random.random,  # 0 to 1
) -> Application:
    """Open the database, bring its schema up to date, and wire the rest.  Nothing is sent yet.

    Raises:
        StoreError: the database cannot be opened or migrated.
    """
    stop = stop or StopSignal()
    database = database or _database(settings)
    table = FieldTable(settings.changes.over(load_rules()))
    writer = _writer(settings)
    connection = _connection(settings, transport)
    registry = _registry(settings, connection, now=now, monotonic=monotonic, stop=stop)
    journal = journal or _journal(settings)
    channel = _guarded(settings, channel or _channel(settings, journal))
    targets = target_channels(settings.target, now=now)
    return Application(
        settings=settings,
        database=database,
        table=table,
        connection=connection,
        registry=registry,
        channel=channel,
        journal=journal,
        targets=targets,
        writer=writer,
        pipeline=_pipeline(
            settings,
            database,
            registry,
            table=table,
            writer=writer,
            deliver=_deliver(
                settings,
                database,
                {MAIL: channel, **targets},
                journal=journal,
                conditions=Conditions(stopping=stop.is_set, chance=chance, monotonic=monotonic),
            ),
            bounces=_bounces(settings, database, mailbox, stop=stop),
            stop=stop,
        ),
        now=now,
        monotonic=monotonic,
        stop=stop,
    )


def _pipeline(
    settings: Settings,
    database: Database,
    registry: RegistryClient,
    *,
    table: FieldTable,
    writer: Writer,
    deliver: Deliver,
    bounces: Bounces | None,
    stop: StopSignal,
) -> Pipeline:
    thresholds, watching = settings.guards.thresholds(), settings.watching
    return Pipeline(
        check=Check(database, registry, table, thresholds=thresholds),
        proof=Proof(database, limits=watching.limits(), stale_after=watching.stale_after, thresholds=thresholds),
        remind=Remind(database, every=_remind_every(settings)),
        digest=_digest(settings, database, table, writer, stop=stop),
        reconciliation=Reconciliation(database, put_back=deliver.put_back, standing=deliver.standing),
        deliver=deliver,
        bounces=bounces,
    )


def _database(settings: Settings) -> Database:
    database = Database(settings.database.url.get_secret_value())
    upgrade(database)
    return database


def _connection(settings: Settings, transport: requests.adapters.BaseAdapter | None) -> Connection:
    registry = settings.registry
    limits = Limits(
        connect_timeout=registry.connect_timeout,
        read_timeout=registry.read_timeout,
        deadline=registry.transfer_deadline,
    )
    connection = Connection(
        user_agent=registry.user_agent,
        proxy=registry.proxy.get_secret_value() if registry.proxy else None,
        ca_bundle=str(registry.ca_bundle) if registry.ca_bundle else None,
        limits=limits,
    )
    if transport is not None:
        connection.session.mount("https://", transport)
        connection.session.mount("http://", transport)
    return connection


def _registry(
    settings: Settings, connection: Connection, *, now: Clock, monotonic: Callable[[], float], stop: StopSignal
) -> RegistryClient:
    registry = settings.registry
    limiter = Limiter(registry.requests_per_minute, monotonic=monotonic, wait=stop.wait)
    surroundings = Surroundings(wait=stop.wait, chance=random.random, now=now)
    asker = Asker(
        connection, limiter, base_url=registry.base_url, attempts=registry.attempts, surroundings=surroundings
    )
    return RegistryClient(asker, batch_size=registry.batch_size, connections=registry.connections)


def _guarded(settings: Settings, channel: Channel) -> Channel:
    """Return the channel of mails, behind the list of who may get any if there is one."""
    return AllowListChannel(channel, settings.mail.only_to) if settings.mail.only_to else channel


def _journal(settings: Settings) -> Journal | None:
    """Return the mailbox that knows what the mail server has taken; files need none: one written twice is one file."""
    journal = settings.mail.journal
    if journal is None or settings.mail.smtp is None:
        return None
    return ImapJournal(imap_server(journal.imap), address=journal.address)


def _channel(settings: Settings, journal: Journal | None) -> Channel:
    smtp = settings.mail.smtp
    if smtp is None:
        return FileChannel(settings.mail.directory)
    server = SmtpServer(
        host=smtp.host,
        port=smtp.port,
        security=Security(smtp.security),
        username=smtp.username,
        password=smtp.password.get_secret_value() if smtp.password else None,
        tokens=_tokens(smtp.oauth2) if smtp.oauth2 else None,
        ca_bundle=smtp.ca_bundle,
        connect_timeout=smtp.connect_timeout,
        command_timeout=smtp.command_timeout,
        dot_timeout=smtp.dot_timeout,
        local_hostname=settings.mail.domain,
    )
    return SmtpChannel(server, journal=journal.address if journal else None)


def _tokens(oauth2: OAuth2Settings) -> TokenSource:
    client = OAuth2Client(
        token_url=oauth2.token_url,
        client_id=oauth2.client_id,
        client_secret=oauth2.client_secret.get_secret_value(),
        scope=oauth2.scope,
        ca_bundle=oauth2.ca_bundle,
    )
    return TokenSource(client)


def _digest(settings: Settings, database: Database, table: FieldTable, writer: Writer, *, stop: StopSignal) -> Digest:
    people, offered = settings.people(), settings.watching.all_clear
    return Digest(
        database,
        table,
        writer,
        operator=settings.operator,
        operator_channel=TARGET + settings.operator_target if settings.operator_target else None,
        fallbacks=_fallbacks(settings),
        links=links_of(settings),
        stopping=stop.is_set,
        all_clears=AllClears(lambda address: offered and people.wants_all_clear(address)),
    )


def _writer(settings: Settings) -> Writer:
    mail = settings.mail
    sender = Sender(
        address=mail.sender,
        name=mail.sender_name,
        reply_to=mail.reply_to,
        domain=mail.domain,
        subject_style=SubjectStyle(mail.subject_style),
        calendar=mail.calendar,
        signer=_signer(settings),
        returns=ReturnPath(address=mail.bounces.address, delimiter=mail.bounces.delimiter) if mail.bounces else None,
    )
    return Writer(Letters(Templates(settings.templates.directory), Templates()), sender)


def links_of(settings: Settings) -> Links | None:
    """Return the links that mails hold; None when there are no pages to lead to."""
    return Links(public_url=settings.web.public_url) if settings.web.public_url else None


def _remind_every(settings: Settings) -> timedelta | None:
    return settings.acknowledge.remind_every if settings.acknowledge.remind else None


def _signer(settings: Settings) -> Signs | None:
    dkim = settings.mail.dkim
    if dkim is None:
        return None
    from watcher.render.signing import Signer, read_key  # late: the library is for those who sign

    return Signer(domain=dkim.domain, selector=dkim.selector, key=read_key(dkim.key_file.read_bytes()))


def _fallbacks(settings: Settings) -> tuple[str, ...]:
    """Return who gets the mail that does not reach its reader, the best first."""
    bounces = settings.mail.bounces
    chosen = bounces.fallback if bounces else None
    return (chosen, settings.operator) if chosen and chosen != settings.operator else (settings.operator,)


def _bounces(settings: Settings, database: Database, mailbox: Mailbox | None, *, stop: StopSignal) -> Bounces | None:
    bounces = settings.mail.bounces
    if bounces is None:
        return None
    return Bounces(
        database,
        mailbox or ImapMailbox(imap_server(bounces.imap)),
        partial(read_report, address=bounces.address, delimiter=bounces.delimiter),
        fallbacks=_fallbacks(settings),
        stopping=stop.is_set,
    )


def imap_server(imap: ImapSettings) -> ImapServer:
    """Return the mailbox that a section of the settings names."""
    return ImapServer(
        host=imap.host,
        port=imap.port,
        security=ImapSecurity(imap.security),
        username=imap.username,
        password=imap.password.get_secret_value() if imap.password else "",
        ca_bundle=imap.ca_bundle,
        folder=imap.folder,
        timeout=imap.timeout,
        deadline=imap.deadline,
    )


def _deliver(
    settings: Settings,
    database: Database,
    channels: Mapping[str, Channel],
    *,
    journal: Journal | None,
    conditions: Conditions,
) -> Deliver:
    mail = settings.mail
    patience = Patience(
        down_for=mail.deliver_every,
        give_up_after=mail.give_up_after,
        journal_wait=mail.journal.wait if mail.journal else timedelta(0),
    )
    operator = settings.operator
    return Deliver(
        database,
        channels,
        patience,
        operator=operator,
        conditions=conditions,
        journal=journal,
        fallbacks=_fallbacks(settings),
    )
