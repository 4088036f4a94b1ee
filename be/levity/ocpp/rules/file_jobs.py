"""What becomes of a charger's upload or firmware update, by what it answers and reports.

The words here are Levity's own: each version of OCPP translates its statuses into them.
"""

__all__ = [
    "ACCEPTED",
    "CANCELLED",
    "DIAGNOSTICS",
    "DONE",
    "FAILED",
    "FIRMWARE",
    "LIVE",
    "LOG",
    "MOST_REPORTS",
    "NOTHING",
    "QUEUED",
    "REFUSED",
    "RUNNING",
    "SENT",
    "SIGNED_FIRMWARE",
    "SILENT",
    "UNSENT",
    "after_answer",
    "after_report",
]

DIAGNOSTICS, LOG = "diagnostics", "log"
FIRMWARE, SIGNED_FIRMWARE = "firmware", "signed_firmware"
"""The kinds of jobs."""

QUEUED, SENT, ACCEPTED, RUNNING = "queued", "sent", "accepted", "running"
DONE, FAILED, NOTHING, REFUSED = "done", "failed", "nothing", "refused"
CANCELLED, UNSENT, SILENT = "cancelled", "unsent", "silent"
"""The states of a job."""

LIVE = frozenset({QUEUED, SENT, ACCEPTED, RUNNING})
"""More is expected."""

MOST_REPORTS = 60
"""Status messages of a job that are kept: a charger may report every second for hours."""

_BEFORE_ANY_WORD = frozenset({QUEUED, SENT, UNSENT, SILENT})


def after_answer(state: str, answered: str) -> str:
    """The state after the answer to the Call; a report that came before it says more."""
    return answered if state in _BEFORE_ANY_WORD else state


def after_report(state: str, reported: str) -> str:
    """The state after a status message; empty: that message says nothing about this job."""
    return reported or state
