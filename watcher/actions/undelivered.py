"""The addresses that mail does not reach: show them, and take one back into use."""

from watcher.app import Application
from watcher.config.values import normalise_address
from watcher.errors import SettingsError
from watcher.store.incidents import close_incident
from watcher.store.suspensions import Suspension, resume, suspension_incident, suspensions


def suspended_addresses(app: Application) -> list[Suspension]:
    """Return the addresses that mail does not reach, oldest first."""
    with app.database.reading() as db:
        return list(suspensions(db).values())


def suspension_line(one: Suspension) -> str:
    """Return a suspension for people."""
    return f"{one.address}  since {one.since:%Y-%m-%d %H:%M} UTC: {one.reason}"


def suspension_json(one: Suspension) -> dict[str, object]:
    """Return it for programs."""
    return {"kind": "suspension", "address": one.address, "since": one.since.isoformat(), "reason": one.reason}


def resume_address(app: Application, text: str) -> str:
    """Let mail go to an address again, and return it.

    Raises:
        SettingsError: it is not an address, or not a suspended one.
    """
    try:
        address = normalise_address(text)
    except ValueError as error:
        raise SettingsError([str(error)]) from error
    with app.database.writing() as db:
        # The trouble may also be that nobody could stand in, so that nothing was suspended.
        was_told = close_incident(db, suspension_incident(address), now=app.now())
        if not resume(db, address) and not was_told:
            raise SettingsError(
                [f"{address}: mail goes there already; `trialwatch suspensions` shows where it does not"]
            )
    return address
