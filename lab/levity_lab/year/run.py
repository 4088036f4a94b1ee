"""Plays so many days, keeps house as a site does, and measures what is left of them."""

import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.models import Sum
from django.db.models.functions import Length

from levity.ocpp.conf import setting
from levity.ocpp.decisions.retention import prune
from levity.ocpp.models import MessageBlock
from levity.ocpp.store.inventory import Inventory, inventory
from levity.ocpp.worker.moving import MOVERS
from levity.run.backups import back_up
from levity_lab.year.fill import Site
from levity_lab.year.written import written

__all__ = ["measure", "report"]

FIRST = datetime(2026, 1, 1, tzinfo=UTC)
_DAY = timedelta(days=1)
_YEAR = 365
_MEGA = 1e6


def measure(
    chargers: int, days: int, seed: int, say: Callable[[str], object]
) -> tuple[Inventory, dict[str, Any]]:
    """Play `days` days of `chargers` charge points into the empty database, and measure.

    After each day what is old is moved and what is older is deleted, as the housekeeping of a
    running site does. In the end the database is as on the midnight after the last day.
    """
    site = Site(chargers, seed)
    site.connect(FIRST)
    steps: list[float] = []
    began, wrote, moving = time.monotonic(), written(), 0.0
    for number in range(days):
        midnight = FIRST + number * _DAY
        site.play(midnight)
        moving -= time.process_time()
        _move(midnight + _DAY, steps)
        moving += time.process_time()
        prune(midnight + _DAY)
        say(
            f"day {number + 1} of {days}: {site.exchanges:,} exchanges, "
            f"{time.monotonic() - began:.0f} s"
        )
    wrote = written() - wrote
    _tidy()
    found = inventory()
    return found, {
        "database": connection.vendor,
        "chargers": chargers,
        "days": days,
        "seed": seed,
        "exchanges": site.exchanges,
        "bytes": found.size - found.free,
        "parts": [asdict(part) for part in found.parts],
        "written_bytes_an_exchange": round(wrote / site.exchanges),
        "moving": {
            "cpu_microseconds_an_exchange": round(moving * 1e6 / site.exchanges, 1),
            "steps": len(steps),
            "longest_ms": round(max(steps, default=0.0) * 1000, 1),
        },
        "backup": _backup(),
        "year_bytes": _a_year(found, days),
    }


def _move(now: datetime, steps: list[float]) -> None:
    for mover in MOVERS:
        moved = 1
        while moved:
            began = time.monotonic()
            moved = mover(now)
            steps.append(time.monotonic() - began)


def _tidy() -> None:
    with connection.cursor() as cursor:
        # What a site's autovacuum does within minutes; on SQLite statistics only.
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def _backup() -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        copy = back_up(Path(folder) / "copy")
        return {"seconds": round(time.monotonic() - began, 2), "bytes": copy.size}


def _a_year(found: Inventory, days: int) -> float | None:
    """Bytes that a year takes, from the days that were played; None without sizes by table.

    Rows of the last days stay as many as they are; what is packed grows with the days. Of messages
    the last `OCPP_MESSAGE_RETENTION_DAYS` are whole; of those before only the frames behind
    sessions are left. If fewer days were played, these count as if they were whole, too.
    """
    sizes = {part.name: part.size for part in found.parts}
    if None in sizes.values():
        return None
    recent, retention = setting("OCPP_MESSAGE_ROW_DAYS"), setting("OCPP_MESSAGE_RETENTION_DAYS")
    rows = sum(size or 0 for name, size in sizes.items() if "recent" in name)
    traces = sizes["meter values, packed by session"] or 0
    grown = traces / max(1, days - recent) + (sizes["sessions"] or 0) / days
    whole, ledger = _block_bytes(only_ledger=False), _block_bytes(only_ledger=True)
    # Of the table with its indexes, by what is in it.
    factor = (sizes["messages, packed by day"] or 0) / max(1, whole + ledger)
    a_day = factor * whole / max(1, min(days, retention or days) - recent)
    a_day_later = factor * ledger / (days - retention) if 0 < retention < days else a_day
    kept = min(_YEAR, retention or _YEAR)
    return rows + grown * _YEAR + a_day * (kept - recent) + a_day_later * (_YEAR - kept)


def _block_bytes(*, only_ledger: bool) -> int:
    rows = MessageBlock.objects.filter(only_ledger=only_ledger)
    size = Sum(Length("frames") + Length("facts"), default=0)
    return int(rows.aggregate(n=size)["n"])


def report(measured: dict[str, Any]) -> str:
    """The figures for people; the parts are what `levity storage` prints."""
    backup, moving, year = measured["backup"], measured["moving"], measured["year_bytes"]
    played = f"{measured['chargers']} charge points, {measured['days']} days"
    steps = f"{moving['steps']} steps, the longest {moving['longest_ms']} ms"
    lines = [
        f"{played} on {measured['database']}: {measured['exchanges']:,} exchanges",
        f"size: {measured['bytes'] / _MEGA:.1f} MB",
        f"written: {measured['written_bytes_an_exchange']:,} bytes an exchange",
        f"moving: {moving['cpu_microseconds_an_exchange']} us of CPU an exchange, {steps}",
        f"backup: {backup['seconds']} s, {backup['bytes'] / _MEGA:.1f} MB",
    ]
    if year is not None:
        lines.append(f"a year, from these days: {year / _MEGA:.0f} MB")
    return "\n".join(lines)
