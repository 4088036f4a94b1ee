"""Disks that fill."""

import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from levity.installation import data_dir
from levity.monitoring.alerts.conditions.finding import Finding
from levity.monitoring.alerts.growth import growth
from levity.monitoring.conf import setting
from levity.monitoring.kinds import Severity

__all__ = ["disks"]


def disks(
    usage: Callable[[str], Any] = shutil.disk_usage,
    clock: Callable[[], float] = time.monotonic,
) -> tuple[list[Finding], dict[str, float]]:
    """Disks that are nearly full; and the free share of each, for the metrics."""
    warning, critical = setting("OPERATION_DISK_PERCENT")
    few_days = setting("OPERATION_DISK_DAYS")
    findings, free = [], {}
    for path in dict.fromkeys(("/", str(data_dir()))):
        if path != "/" and _same_disk(path, "/"):
            continue
        try:
            total, _, available = usage(path)
        except OSError:
            continue
        free[path] = available / total if total else 1.0
        used = 100 * (1 - free[path])
        days = growth.days_left(path, clock(), available)
        fills = days is not None and days < few_days
        if used < warning and not fills:
            continue
        is_urgent = used >= critical or (days is not None and days < 1)
        findings.append(
            Finding(
                "disk",
                path,
                f"the disk at {path} {_said(used, warning, days if fills else None)}, "
                f"{available / 1e9:.1f} GB are left",
                severity=Severity.CRITICAL if is_urgent else Severity.WARNING,
            )
        )
    return findings, free


def _said(used: float, warning: float, days: float | None) -> str:
    full = f"is {used:.0f} % full" if used >= warning else ""
    soon = f"will be full in {_days(days)} at the current rate" if days is not None else ""
    return " and ".join(filter(None, (full, soon)))


def _days(days: float) -> str:
    return f"{days:.0f} days" if days >= 2 else f"{days * 24:.0f} hours"


def _same_disk(one: str, other: str) -> bool:
    try:
        return Path(one).stat().st_dev == Path(other).stat().st_dev
    except OSError:
        return True
