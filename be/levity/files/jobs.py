"""What people order: fetch diagnostics or a log from a charger, send it a firmware.

Each makes a place of its own for the job, and the command that names it, in one transaction.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone

from levity.files import places, protocols
from levity.files.drops import Opened, open_drop
from levity.files.models import Firmware
from levity.files.places import Base
from levity.ocpp.audit import Who
from levity.ocpp.commands.sending import SEND, send
from levity.ocpp.deciding import NotPossible, check
from levity.ocpp.models import ChargePoint, FileJob
from levity.ocpp.rules.file_jobs import DIAGNOSTICS, FIRMWARE, LOG, SIGNED_FIRMWARE
from levity.ocpp.versions import Asks, version_of
from levity_ws.frozen import frozen

__all__ = [
    "LOGS",
    "Asking",
    "Way",
    "fetch_diagnostics",
    "fetch_log",
    "try_other_way",
    "update_firmware",
    "ways",
]

LOGS = ("DiagnosticsLog", "SecurityLog")
# So that the FTP server is open when the charger comes (levity/files/keeper.py).
FTP_DELAY = timedelta(seconds=4)
# A charger that is away gets the order when it is back, within this time.
EXPIRES = timedelta(hours=1)
SOURCE = "files"


@frozen
class Asking:
    """From where somebody asks, which may tell how chargers reach us."""

    called: str = ""
    """Host and port by which their browser found the pages."""
    secure: bool = False
    base: str = ""
    """The address that they chose; empty: the likeliest."""
    protocol: str = ""
    """http, https or ftp, where they chose that."""


@frozen
class Way:
    """An address for a charger, and why it is the one."""

    base: Base
    why: str
    others: tuple[Base, ...] = ()


def ways(charge_point: ChargePoint, asking: Asking) -> Way:
    """How this charger would come, and how else it could. Raises `NotPossible`."""
    http = places.bases(charge_point, asking.called, secure=asking.secure)
    ftp = places.ftp_base(charge_point, asking.called)
    offered = [*http, *([ftp] if ftp else [])]
    if asking.base:
        chosen = next((base for base in offered if base.url == asking.base), None)
        if chosen is None:
            raise NotPossible("this is not an address of this Levity")
        why = "chosen"
    else:
        names = tuple(dict.fromkeys(base.protocol for base in offered))
        if asking.protocol and asking.protocol not in names:
            raise NotPossible(f"{asking.protocol.upper()} is not offered here")
        choice = (
            protocols.Choice(asking.protocol, "chosen")
            if asking.protocol
            else protocols.choose(charge_point, names)
        )
        chosen = next(base for base in offered if base.protocol == choice.protocol)
        why = choice.why
    return Way(chosen, why, tuple(base for base in offered if base is not chosen))


def fetch_diagnostics(
    charge_point: ChargePoint,
    who: Who,
    asking: Asking,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    expires_after: timedelta = EXPIRES,
) -> FileJob:
    """Let the charger upload its diagnostics to a place made for that."""
    _check_span(since, until)
    return _order(
        charge_point,
        who,
        asking,
        DIAGNOSTICS,
        lambda asks, opened: asks.diagnostics(opened.url, since, until),
        expires_after=expires_after,
    )


def fetch_log(
    charge_point: ChargePoint,
    kind: str,
    who: Who,
    asking: Asking,
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    expires_after: timedelta = EXPIRES,
) -> FileJob:
    """Let the charger upload a log of this kind; for chargers with the security extension."""
    if kind not in LOGS:
        raise NotPossible(f"there is no log {kind[:40]!r}: use {' or '.join(LOGS)}")
    _check_span(since, until)
    return _order(
        charge_point,
        who,
        asking,
        LOG,
        lambda asks, opened: asks.log(opened.url, kind, opened.drop.job_id, since, until),
        expires_after=expires_after,
    )


def _check_span(since: datetime | None, until: datetime | None) -> None:
    if since is not None and until is not None and until <= since:
        raise NotPossible("the last entries have to be later than the first ones")


def update_firmware(
    charge_point: ChargePoint,
    firmware: Firmware,
    who: Who,
    asking: Asking,
    *,
    at: datetime | None = None,
    expires_after: timedelta = EXPIRES,
) -> FileJob:
    """Let the charger fetch this firmware from here, from then on, and install it."""
    signed = bool(firmware.signature and firmware.signing_certificate)
    when = at or timezone.now()

    def call(asks: Asks, opened: Opened) -> tuple[str, dict[str, Any]]:
        if not signed:
            return asks.firmware(opened.url, when)
        certificate, signature = firmware.signing_certificate, firmware.signature
        return asks.signed_firmware(opened.url, when, opened.drop.job_id, certificate, signature)

    kind = SIGNED_FIRMWARE if signed else FIRMWARE
    return _order(charge_point, who, asking, kind, call, firmware, expires_after=expires_after)


def try_other_way(job: FileJob, who: Who, asking: Asking) -> FileJob:
    """The same once more by the other protocol: HTTP instead of FTP, or the other way round."""
    drop = getattr(job, "drop", None)
    if drop is None:
        raise NotPossible("this job did not use a place of Levity's own: order it again")
    way = ways(job.charge_point, asking)
    offered = tuple(dict.fromkeys(base.protocol for base in (way.base, *way.others)))
    instead = protocols.other(drop.protocol, offered)
    if not instead:
        raise NotPossible("there is no other way: FTP is switched off (LEVITY_FTP_PORT)")
    again = Asking(asking.called, asking.secure, protocol=instead)
    if drop.firmware is not None:
        return update_firmware(job.charge_point, drop.firmware, who, again)
    if job.kind == LOG:
        asked = job.command.payload.get("logType", LOGS[0]) if job.command else LOGS[0]
        return fetch_log(job.charge_point, asked, who, again)
    return fetch_diagnostics(job.charge_point, who, again)


def _order(
    charge_point: ChargePoint,
    who: Who,
    asking: Asking,
    kind: str,
    call: Callable[[Asks, Opened], tuple[str, dict[str, Any]]],
    firmware: Firmware | None = None,
    *,
    expires_after: timedelta,
) -> FileJob:
    check(charge_point, who, SEND)
    way = ways(charge_point, asking)
    with transaction.atomic():
        job = FileJob.objects.create(charge_point=charge_point, kind=kind, is_own=True)
        opened = open_drop(job, way.base.url, firmware, timezone.now())
        action, payload = call(version_of(charge_point.subprotocol).asks, opened)
        sent = send(
            charge_point,
            action,
            payload,
            who,
            source=SOURCE,
            delay=FTP_DELAY if way.base.protocol == "ftp" else timedelta(),
            expires_after=expires_after,
            own_place=True,
        )
        asked = version_of(charge_point.subprotocol).calls.file_asked(action, sent.command.payload)
        job.command = sent.command
        job.request_id = asked.request_id if asked else None
        job.location = asked.location if asked else ""
        job.firmware_before = charge_point.firmware_version
        job.save()
    return job
