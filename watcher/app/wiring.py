"""Settings → a wired application.  The only reader of the clock that says what time it is.

Whatever depends on the moment, or on chance, is given it from here.  Mail transfers measure their own time-outs, on the
clock that cannot be set, and names that must not be guessed are drawn where they are needed.
"""

import random
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial

import requests.adapters

from watcher.app.application import Application, Clock
from watcher.app.stop import StopSignal
from watcher.config import Settings
from watcher.config.mail_channels import behind_allow_list, imap_server, mail_channel, mail_journal, mail_signer
from watcher.config.target_channels import target_channels
from watcher.core.fields import FieldTable
from watcher.core.targets import MAIL, TARGET
from watcher.notify.channel import Channel, Journal
from watcher.notify.mailbox import ImapMailbox, Mailbox
from watcher.notify.reports import read_report
from watcher.pipeline import Pipeline
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
from watcher.stages.writing import ReturnPath, Sender, Writer
from watcher.store.database import Database
from watcher.store.schema import upgrade
from watcher.tables import load_rules


def system_clock() -> datetime:
    return datetime.now(UTC)


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
    journal = journal or mail_journal(settings)
    channel = behind_allow_list(settings, channel or mail_channel(settings, journal))
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
        signer=mail_signer(settings),
        returns=ReturnPath(address=mail.bounces.address, delimiter=mail.bounces.delimiter) if mail.bounces else None,
    )
    return Writer(Letters(Templates(settings.templates.directory), Templates()), sender)


def links_of(settings: Settings) -> Links | None:
    """Return the links that mails hold; None when there are no pages to lead to."""
    return Links(public_url=settings.web.public_url) if settings.web.public_url else None


def _remind_every(settings: Settings) -> timedelta | None:
    return settings.acknowledge.remind_every if settings.acknowledge.remind else None


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
