"""What an alert can be about, as a table: its name, how bad it is, and what to do."""

from dataclasses import dataclass

from django.db.models import TextChoices

__all__ = ["CRITICAL_EVENTS", "KINDS", "Kind", "Severity", "rank"]


class Severity(TextChoices):
    """How bad it is. Critical alerts are sent in quiet hours, too."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Kind:
    """`recovers_after`: seconds for which it must be well before it counts as over; None: it is
    something that happened, and is over at once."""

    title: str
    what_to_do: str
    severity: Severity = Severity.WARNING
    recovers_after: float | None = 60.0


KINDS: dict[str, Kind] = {
    "charger-fault": Kind(
        "Charger fault",
        "Read the error code on the charge point's page; a soft reset helps against passing ones.",
    ),
    "charger-notice": Kind(
        "Charger notice",
        "It goes on charging. Where its local list disagrees on a card, send it the list again, or "
        "correct the card here.",
        recovers_after=0.0,
    ),
    "charger-offline": Kind(
        "Charger offline",
        "Is it powered, is its network up? Its connection events say how it went away. One that is "
        "only silent has its connection open: send it a TriggerMessage of Heartbeat.",
        recovers_after=0.0,
    ),
    "line-closed": Kind(
        "Line closed in silence",
        "Something between the charger and Levity ends connections that say nothing for a while: a "
        "proxy, a firewall, a mobile network, or the charger itself. A shorter heartbeat interval "
        "was told to the charger; its page has the evidence. If it goes on, set a ping interval "
        "there, or the time-out of the proxy.",
        recovers_after=None,
    ),
    "frame-too-large": Kind(
        "Message too large",
        "Its connection is closed each time, it sends the same again, and all that it has to tell "
        "waits behind it: raise LEVITY_MAX_FRAME_SIZE (bytes) and start Levity again. If it says "
        "that this is what a new charge point may send, it passes with the next connection.",
        recovers_after=0.0,
    ),
    "command-failed": Kind(
        "Command failed",
        "Open the command: it says whether the charger refused, did not answer or was away.",
        recovers_after=None,
    ),
    "command-refused": Kind(
        "Command refused by the charger",
        "The charger has answered, and said no: what it was told to do is not done (a limit is not "
        "kept, a card not blocked there). The alert and the command say what its own keys tell of "
        "it.",
        recovers_after=None,
    ),
    "certificate": Kind(
        "Certificate expires",
        "Renewal has failed: look at the log of certbot, and at port 80 from outside. A charger's "
        "own: ask for another one under “Security” on its page, and read its security events.",
        recovers_after=0.0,
    ),
    "disk": Kind(
        "Disk nearly full",
        "Make room or a larger disk: a full one stops the database, and chargers queue.",
    ),
    "database": Kind(
        "Database damaged",
        "The disk or SD card is breaking: make a backup now, stop Levity, replace the disk, and "
        "`levity restore` the newest whole copy. Over once Levity is started again without it.",
        Severity.CRITICAL,
    ),
    "open-door": Kind(
        "Strangers can add charge points",
        "Close the door on the list of charge points, or give chargers keys (docs/security.md).",
        recovers_after=0.0,
    ),
    "new-charge-points": Kind(
        "Too many new charge points",
        "More came within an hour than are let in; the others wait as pending. If they are yours, "
        "accept them in the list; else close the door there, and delete them.",
        recovers_after=0.0,
    ),
    "quarantine": Kind(
        "Quarantine waiting",
        "Somebody has to decide: attach, make a transaction of it, or discard.",
    ),
    "failed-message": Kind(
        "Failed messages",
        "A bug, here or in middleware: read the traceback, mend it, `levity replay_failed`. A "
        "receiver of changed sessions is told again by itself once it is corrected.",
    ),
    "dead-letter": Kind(
        "Batches that nobody could read",
        "Edges and workers of releases that don't fit together: update all of them.",
    ),
    "transaction-ids": Kind(
        "Transaction ids run out",
        "OCPP 1.6 has 2,147,483,647 of them. Plan a new database, or chargers of OCPP 2.",
        Severity.CRITICAL,
    ),
    "security-event": Kind(
        "Security event",
        "Did somebody of yours do this? If not, take the charger off the network and look at it.",
        recovers_after=None,
    ),
    "failed-logins": Kind(
        "Many failed logins",
        "Somebody guesses passwords: look at the addresses in the log, block them in front.",
        Severity.CRITICAL,
        recovers_after=None,
    ),
}

# OCPP 1.6 security whitepaper, 8: the seven that it calls critical. The first three also happen
# when all is well (an update, a power cut), so they wait for the end of the quiet hours.
CRITICAL_EVENTS: dict[str, Severity] = {
    "FirmwareUpdated": Severity.WARNING,
    "StartupOfTheDevice": Severity.WARNING,
    "ResetOrReboot": Severity.WARNING,
    "SettingSystemTime": Severity.WARNING,
    "SecurityLogWasCleared": Severity.CRITICAL,
    "MemoryExhaustion": Severity.CRITICAL,
    "TamperDetectionActivated": Severity.CRITICAL,
}


def rank(severity: str) -> int:
    """Greater is worse."""
    return list(Severity.values).index(severity)
