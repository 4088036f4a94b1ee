"""What an alert can be about, as a table: its name, its severity, and what to do."""

from dataclasses import dataclass

from django.db.models import TextChoices

__all__ = ["CRITICAL_EVENTS", "KINDS", "Kind", "Severity", "rank"]


class Severity(TextChoices):
    """The severity. Critical alerts are also sent in quiet hours."""

    WARNING = "warning"
    CRITICAL = "critical"


@dataclass(frozen=True, slots=True)
class Kind:
    """`recovers_after`: seconds without the problem after which it is over; None: a single event,
    which is over at once."""

    title: str
    what_to_do: str
    severity: Severity = Severity.WARNING
    recovers_after: float | None = 60.0


KINDS: dict[str, Kind] = {
    "charger-fault": Kind(
        "Charger fault",
        "Check the error code on the charge point's page; a soft reset clears transient errors.",
    ),
    "charger-notice": Kind(
        "Charger notice",
        "Charging continues. If its local list disagrees about a card, send it the list again or "
        "correct the card here.",
        recovers_after=0.0,
    ),
    "charger-offline": Kind(
        "Charger offline",
        "Check its power and network. Its connection events show how the connection ended. A "
        "charger that is only silent still has its connection: send it a TriggerMessage for "
        "Heartbeat.",
        recovers_after=0.0,
    ),
    "charging-without-session": Kind(
        "Charging without a session",
        "The charger has reported no session, so nobody is billed. Open “Unassigned energy” to "
        "give the energy to an id tag. Check whether the charger lost power, or started to charge "
        "before its clock was set: some makes forget such sessions.",
        recovers_after=0.0,
    ),
    "line-closed": Kind(
        "Idle line closed",
        "Something between the charger and Levity closes idle connections: a proxy, a firewall, a "
        "mobile network, or the charger itself. The charger was given a shorter heartbeat "
        "interval; its page shows the evidence. If this continues, set a ping interval there or "
        "raise the proxy's time-out.",
        recovers_after=None,
    ),
    "frame-too-large": Kind(
        "Message too large",
        "The connection is closed each time, the charger sends the message again, and everything "
        "else queues behind it: raise LEVITY_MAX_FRAME_SIZE (bytes) and restart Levity. If the "
        "limit for new charge points was exceeded, the message is accepted on the next "
        "connection.",
        recovers_after=0.0,
    ),
    "command-failed": Kind(
        "Command failed",
        "Open the command to see whether the charger refused, did not answer or was offline.",
        recovers_after=None,
    ),
    "command-refused": Kind(
        "Command refused by the charger",
        "The charger refused the command, so it was not carried out (a limit is not applied, a "
        "card not blocked there). The alert and the command show what its configuration keys say "
        "about it.",
        recovers_after=None,
    ),
    "certificate": Kind(
        "Certificate expires",
        "Renewal has failed: check certbot's log and whether port 80 is reachable from outside. "
        "For a charger's certificate, request another one under “Security” on its page and check "
        "its security events.",
        recovers_after=0.0,
    ),
    "disk": Kind(
        "Disk nearly full",
        "Free space or use a larger disk: a full disk stops the database, and chargers queue "
        "their messages.",
    ),
    "database": Kind(
        "Database damaged",
        "The disk or SD card is failing: make a backup now, stop Levity, replace the disk, and "
        "restore the newest intact copy with `levity restore`. The alert ends when Levity starts "
        "with an intact database.",
        Severity.CRITICAL,
    ),
    "open-onboarding": Kind(
        "Strangers can add charge points",
        "Stop admitting new charge points on the list of charge points, or give chargers keys "
        "(docs/security.md).",
        recovers_after=0.0,
    ),
    "new-charge-points": Kind(
        "Too many new charge points",
        "More new charge points connected within an hour than are admitted; the others are "
        "pending. If they are yours, accept them in the list; otherwise stop admitting new charge "
        "points there and delete them.",
        recovers_after=0.0,
    ),
    "quarantine": Kind(
        "Messages in quarantine",
        "Decide for each message: attach it to a transaction, create a transaction from it, or "
        "discard it.",
    ),
    "failed-message": Kind(
        "Failed messages",
        "A bug in Levity or in middleware: read the traceback, fix it, then run `levity "
        "replay_failed`. A corrected receiver of changed sessions is called again automatically.",
    ),
    "dead-letter": Kind(
        "Unreadable batches",
        "Edges and workers of incompatible releases: update all of them.",
    ),
    "webhook-failing": Kind(
        "Webhook of events fails",
        "Open the webhook: it shows what its receiver answers. Correct the receiver or the "
        "address; switch the webhook on again if it is off, then replay the events that it has "
        "missed.",
        recovers_after=0.0,
    ),
    "events-delayed": Kind(
        "Events are delayed",
        "Check that `levity serve` or `levity deliver_events` runs. On Postgres, a long "
        "transaction in any database of the same cluster delays events: end it, or move that "
        "database (docs/events.md).",
        recovers_after=0.0,
    ),
    "campaign-stopped": Kind(
        "Firmware campaign stopped",
        "Look at the chargers that failed, then resume the campaign or cancel it.",
        recovers_after=0.0,
    ),
    "transaction-ids": Kind(
        "Transaction ids running out",
        "OCPP 1.6 has 2,147,483,647 of them. Plan a new database.",
        Severity.CRITICAL,
    ),
    "security-event": Kind(
        "Security event",
        "Was this done by your staff? If not, disconnect the charger from the network and inspect "
        "it.",
        recovers_after=None,
    ),
    "failed-logins": Kind(
        "Many failed logins",
        "Someone may be guessing passwords: check the addresses in the log and block them in your "
        "firewall or proxy.",
        Severity.CRITICAL,
        recovers_after=None,
    ),
}

# OCPP 1.6 security whitepaper, 8: the seven that it calls critical. The first three also happen in
# normal operation (an update, a power cut), so they wait for the end of the quiet hours.
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
    """The greater, the more severe."""
    return list(Severity.values).index(severity)
