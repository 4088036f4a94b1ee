"""What is wrong right now, and what has happened: each check is a bounded number of queries.

A check returns findings, one for each thing that is wrong; the same thing has the same key each
time. It neither writes nor notifies anyone: `raise_and_end.py` compares with what is known.
"""

from levity.monitoring.alerts.conditions.certificate_dates import (
    certificates,
    charge_point_certificates,
)
from levity.monitoring.alerts.conditions.chargers import (
    charger_faults,
    chargers_offline,
    lines_closed,
)
from levity.monitoring.alerts.conditions.disk_space import disks
from levity.monitoring.alerts.conditions.events import (
    NOTICED_HERE,
    failed_commands,
    failed_logins,
    refused_commands,
    security_events,
)
from levity.monitoring.alerts.conditions.finding import Finding, called, plain
from levity.monitoring.alerts.conditions.messages import (
    LAST_TRANSACTION_ID,
    dead_letters,
    failed_messages,
    missed_changes,
    quarantine,
    transaction_ids,
    transaction_ids_used,
)

__all__ = [
    "LAST_TRANSACTION_ID",
    "NOTICED_HERE",
    "Finding",
    "called",
    "certificates",
    "charge_point_certificates",
    "charger_faults",
    "chargers_offline",
    "dead_letters",
    "disks",
    "failed_commands",
    "failed_logins",
    "failed_messages",
    "lines_closed",
    "missed_changes",
    "plain",
    "quarantine",
    "refused_commands",
    "security_events",
    "transaction_ids",
    "transaction_ids_used",
]
