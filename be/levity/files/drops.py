"""The places of jobs: opened with a token that nobody can guess, found by it, closed in time."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta
from urllib.parse import quote, urlsplit

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from levity.files import conf, storage
from levity.files.models import Drop, Firmware, StoredFile
from levity.files.storage import DiskFull, Incoming, Written
from levity.ocpp import events
from levity.ocpp.events import Happened
from levity.ocpp.models import FileJob
from levity.ocpp.rules.file_jobs import (
    ACCEPTED,
    CANCELLED,
    DONE,
    FAILED,
    NOTHING,
    REFUSED,
    SILENT,
    UNSENT,
)
from levity.ocpp.wire.scanning import DROP
from levity_ws.frozen import frozen

__all__ = [
    "MOST_FILES",
    "Opened",
    "any_ftp",
    "by_login",
    "by_token",
    "clean_name",
    "keep",
    "note_came",
    "note_fetched",
    "note_trouble",
    "open_drop",
    "receive",
]

PREFIX = "/files/"
MOST_FILES = 10
"""Files of one job: a charger that tries again and again leaves no more."""
UPLOAD_FOR, FETCH_FOR = timedelta(hours=12), timedelta(days=3)
"""For how long a place is open: a download may begin in the night, and be tried again."""
LONGEST_NAME = 255
LINGERS = timedelta(minutes=5)
CLOSES_AFTER = timedelta(hours=1)
"""How long a place is open behind the end of its job, for a charger that tries again."""
_OVER = (DONE, FAILED, REFUSED, UNSENT, CANCELLED)


@frozen
class Opened:
    """A place that was opened."""

    drop: Drop
    url: str
    """For the charger; with its token."""


def open_drop(job: FileJob, base: str, firmware: Firmware | None, now: datetime) -> Opened:
    """A place below this base, for this job alone."""
    token = secrets.token_urlsafe(24)
    parts = urlsplit(base)
    name = quote(firmware.name, safe=".-_") if firmware else ""
    if parts.scheme == "ftp":
        url = f"ftp://job{job.pk}:{token}@{parts.netloc}/{name}"
        shown = f"{base}/{name}"
    else:
        url = f"{base}{PREFIX}{DROP}{token}/{name}"
        shown = f"{base}{PREFIX}…/{name}"
    drop = Drop.objects.create(
        job=job,
        protocol=parts.scheme,
        token_hash=_hash(token),
        firmware=firmware,
        shown_url=shown[:255],
        created_at=now,
        expires_at=now + (FETCH_FOR if firmware else UPLOAD_FOR),
    )
    return Opened(drop, url)


def by_token(token: str) -> Drop | None:
    """The open place of this token over HTTP."""
    if not token.startswith(DROP) or len(token) > 100:
        return None
    rows = _open().exclude(protocol=Drop.Protocol.FTP)
    return rows.filter(token_hash=_hash(token.removeprefix(DROP))).first()


def by_login(user: str, password: str) -> Drop | None:
    """The open place of this FTP account."""
    number = user.removeprefix("job")
    if not (user.startswith("job") and number.isascii() and number.isdigit() and len(number) < 19):
        return None
    drop = _open().filter(protocol=Drop.Protocol.FTP, job=int(number)).first()
    if drop is None or not hmac.compare_digest(drop.token_hash, _hash(password)):
        return None
    return drop


def any_ftp() -> bool:
    """True if a charger may come by FTP now."""
    # One that is over for a while: a charger may still be sending the rest.
    recent = timezone.now() - LINGERS
    over = Q(job__state__in=_OVER, job__finished_at__lt=recent)
    return _open().filter(protocol=Drop.Protocol.FTP).exclude(over).exists()


def note_came(drop: Drop) -> None:
    """The charger came."""
    Drop.objects.filter(pk=drop.pk).update(
        requests=F("requests") + 1, last_request_at=timezone.now()
    )


def note_trouble(drop: Drop, why: str) -> None:
    """It was refused."""
    Drop.objects.filter(pk=drop.pk).update(trouble=why[:255])


def note_fetched(drop: Drop, size: int) -> None:
    """It asked for so many bytes of the firmware."""
    Drop.objects.filter(pk=drop.pk).update(sent_bytes=F("sent_bytes") + size)
    FileJob.objects.filter(pk=drop.job_id).update(
        arrived=F("arrived") + 1, arrived_at=timezone.now()
    )


def receive(drop: Drop) -> Incoming:
    """A file for this place, to be written to; raises `NotStored`."""
    if StoredFile.objects.filter(job=drop.job_id).count() >= MOST_FILES:
        raise DiskFull(f"{MOST_FILES} files have come for this job already")
    one, total, _ = conf.limits()
    left = total - sum(StoredFile.objects.values_list("size", flat=True))
    if left <= 0:
        raise DiskFull(
            f"all uploads together have reached {total // conf.MEGABYTE:,} MB "
            "(LEVITY_FILES_TOTAL_MB): delete old files"
        )
    return Incoming(storage.UPLOADS, min(one, left))


def keep(drop: Drop, written: Written, name: str, *, is_complete: bool, remote: str) -> StoredFile:
    """The charger's file is here; its job has something to show for it."""
    now = timezone.now()
    job = FileJob.objects.select_related("charge_point").get(pk=drop.job_id)
    with transaction.atomic():
        row = StoredFile.objects.create(
            job=job,
            charge_point_id=job.charge_point_id,
            name=clean_name(name) or clean_name(job.file_name) or f"{job.kind}-{job.pk}",
            size=written.size,
            sha256=written.sha256,
            path=written.path,
            is_complete=is_complete,
            protocol=drop.protocol,
            remote_address=remote[:64],
            received_at=now,
        )
        mine = FileJob.objects.filter(pk=job.pk)
        if is_complete:
            mine.update(arrived=F("arrived") + 1, arrived_at=now)
            # Some never report: what is here has been uploaded. What the charger says later counts.
            mine.filter(state__in=(ACCEPTED, NOTHING, SILENT)).update(
                state=DONE, finished_at=now, detail="the file has arrived"
            )
        events.tell([_received(row, job)])
    return row


def _received(row: StoredFile, job: FileJob) -> Happened:
    data = {
        "file": row.pk,
        "job": job.pk,
        "kind": job.kind,
        "name": row.name,
        "size_bytes": row.size,
        "complete": row.is_complete,
    }
    identity = job.charge_point.identity
    return Happened("file.received", row.received_at, job.charge_point_id, identity, data)


def _open() -> QuerySet[Drop]:
    """Those of jobs that are not over, or only just: the charger may try once more."""
    now = timezone.now()
    over = Q(job__state__in=_OVER, job__finished_at__lt=now - CLOSES_AFTER)
    rows = Drop.objects.filter(expires_at__gt=now).exclude(over)
    return rows.select_related("job", "firmware")


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def clean_name(said: str) -> str:
    """What a charger calls its file, as data: the last part of a path, without odd characters."""
    last = said.replace("\\", "/").rstrip("/").rpartition("/")[2]
    return "".join(sign for sign in last if sign.isprintable())[:LONGEST_NAME].strip(". ")
