"""What is thrown away: uploads after LEVITY_FILES_DAYS, and files that no row knows any more."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from django.db.models import Count, Sum

from levity.files import conf, storage
from levity.files.models import Drop, Firmware, StoredFile

__all__ = ["prune_files", "said_of_files"]

AN_ORPHAN_AFTER = 24 * 3600
"""Seconds: a file whose row is about to be written is younger."""


def prune_files(now: datetime, **_: Any) -> int:
    """Delete old uploads and what was left behind; how many files."""
    count = 0
    if keep := conf.days():
        old = StoredFile.objects.filter(received_at__lt=now - timedelta(days=keep))
        for row in old.order_by("pk")[:10_000]:
            row.delete()
            storage.remove(row.path)
            count += 1
    Drop.objects.filter(expires_at__lt=now - timedelta(days=conf.days() or 90)).delete()
    return count + _sweep()


def said_of_files(**_: Any) -> str:
    """A line for `levity storage`."""
    uploads = StoredFile.objects.aggregate(n=Count("pk"), size=Sum("size", default=0))
    firmware = Firmware.objects.aggregate(n=Count("pk"), size=Sum("size", default=0))
    kept = f"deleted after {conf.days()} days" if conf.days() else "never deleted"
    return (
        f"Files of chargers, in {conf.folder()}: {uploads['n']:,} uploads, "
        f"{uploads['size'] / 1e6:,.1f} MB, {kept} (LEVITY_FILES_DAYS); {firmware['n']:,} firmware, "
        f"{firmware['size'] / 1e6:,.1f} MB. They are not part of a backup."
    )


def _sweep() -> int:
    if not conf.folder().is_dir():
        return 0
    known = {*StoredFile.objects.values_list("path", flat=True)}
    known |= {*Firmware.objects.values_list("path", flat=True)}
    oldest, count = time.time() - AN_ORPHAN_AFTER, 0
    for kind in (storage.UPLOADS, storage.FIRMWARE, storage.INCOMING):
        place = conf.folder() / kind
        for entry in os.scandir(place) if place.is_dir() else ():
            if f"{kind}/{entry.name}" not in known and entry.stat().st_mtime < oldest:
                Path(entry.path).unlink()
                count += 1
    return count
