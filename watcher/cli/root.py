"""The tree of commands."""

import typer

from watcher.cli import (
    acknowledge,
    audience,
    config,
    feed,
    holds,
    operate,
    outbox,
    registry,
    rehearse,
    rules,
    targets,
    trials,
    undelivered,
    watch,
)

app = typer.Typer(
    name="trialwatch",
    help="Watches ClinicalTrials.gov records and mails what changed.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
operate.add_to(app)
targets.add_to(app)
trials.add_to(app)
rules.add_to(app)
audience.add_to(app)
holds.add_to(app)
rehearse.add_to(app)
acknowledge.add_to(app)
registry.add_to(app)
undelivered.add_to(app)
app.add_typer(watch.app, name="watch")
app.add_typer(outbox.app, name="outbox")
app.add_typer(config.app, name="config")
app.add_typer(feed.app, name="feed")
app.add_typer(registry.app, name="registry")
