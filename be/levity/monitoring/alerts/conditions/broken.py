"""Whether a worker has met pages of the database that it can't read."""

from collections.abc import Iterable
from typing import Any

from levity.db.last_backup import ways_back
from levity.monitoring.alerts.conditions.finding import Finding, plain

__all__ = ["damaged_database"]


def damaged_database(reports: Iterable[Any]) -> list[Finding]:
    """From the workers' own reports, until they are restarted."""
    met = [report["damage"] for report in reports if "damage" in report]
    if not met:
        return []
    mended = sorted({name for each in met for name in each.get("mended", ())})
    anew = f"rebuilt: {', '.join(mended)}. " if mended else ""
    if all(each.get("whole") for each in met):
        summary = "Damaged database indexes were rebuilt"
    else:
        summary = "A database table is damaged: messages that need it wait in the chargers"
    why = met[0].get("why", "")
    return [Finding("database", "", summary, plain(f"{anew}{why}; {ways_back()}", 500))]
