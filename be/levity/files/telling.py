"""What became of a job, in words: what the charger says beside what has really arrived."""

from levity.files.models import Drop
from levity.ocpp.models import FileJob
from levity.ocpp.rules.file_jobs import (
    ACCEPTED,
    CANCELLED,
    DONE,
    FAILED,
    FIRMWARE,
    LIVE,
    NOTHING,
    QUEUED,
    REFUSED,
    RUNNING,
    SENT,
    SIGNED_FIRMWARE,
    SILENT,
    UNSENT,
)
from levity_ws.frozen import frozen

__all__ = ["Told", "is_over", "told"]

GOOD, WARN, BAD, PLAIN = "good", "warn", "bad", "plain"


@frozen
class Told:
    """One sentence or two about a job."""

    level: str
    """good, warn, bad or plain."""
    text: str
    next: str = ""
    """What to do; empty: nothing."""
    other_way: bool = False
    """The other protocol may help."""


def is_over(job: FileJob) -> bool:
    """True if nothing more is expected."""
    return job.state not in LIVE


def told(job: FileJob, drop: Drop | None) -> Told:
    """The whole of it."""
    is_update = job.kind in (FIRMWARE, SIGNED_FIRMWARE)
    if drop is not None and drop.trouble and not job.arrived:
        return Told(BAD, f"The upload was refused: {drop.trouble}.", "Make room, and fetch again.")
    found = _update(job, drop) if is_update else _upload(job, drop)
    return found or _before(job)


def _before(job: FileJob) -> Told:
    texts = {
        QUEUED: Told(
            PLAIN,
            "Waiting to be sent."
            if job.charge_point.online
            else "The charger is offline: it is sent when the charger is back.",
        ),
        SENT: Told(PLAIN, "Sent; waiting for the charger's answer."),
        REFUSED: Told(BAD, f"The charger refused: {job.detail or 'no reason'}.", _refused(job)),
        CANCELLED: Told(PLAIN, f"Cancelled: {job.detail}." if job.detail else "Cancelled."),
        UNSENT: Told(BAD, f"Never sent: {job.detail or 'the command was not sent'}.", "Try again."),
        SILENT: Told(BAD, f"No word from the charger: {job.detail}.", "Is it online? Try again."),
    }
    return texts.get(job.state, Told(PLAIN, job.get_state_display()))


def _refused(job: FileJob) -> str:
    if job.detail == "NotImplemented" or job.detail == "NotSupported":
        return "This charger does not support it over OCPP; use the manufacturer's own tool."
    return "See the command for its whole answer."


def _upload(job: FileJob, drop: Drop | None) -> Told | None:
    here = drop is None or job.arrived
    if job.state == DONE and here:
        if job.detail and not job.status:
            return Told(GOOD, "The file has arrived, although the charger did not report it.")
        if drop is None:
            return Told(GOOD, "The charger says that it has uploaded it.")
        return Told(GOOD, "The file has arrived.")
    if job.state == DONE:
        return Told(
            BAD,
            "The charger says that it has uploaded the file, but nothing arrived here.",
            f"It may not reach {_place(drop)}. Try the other way.",
            other_way=True,
        )
    if job.state == FAILED and job.arrived:
        return Told(WARN, f"The charger reports {job.status}, but a file has arrived.")
    if job.state == FAILED:
        came = bool(drop and drop.requests)
        reached = "It came here, but sent no file." if came else "It never came here."
        return Told(
            BAD,
            f"The charger reports {job.status or 'a failure'}. {reached}",
            f"It may not reach {_place(drop)}, or not know this protocol. Try the other way.",
            other_way=True,
        )
    if job.state == NOTHING:
        return Told(WARN, "The charger has nothing to upload: its answer names no file.")
    if job.state == SILENT and drop is not None:
        return Told(BAD, f"No word from the charger: {job.detail}.", "Try again.", other_way=True)
    if job.state in (ACCEPTED, RUNNING):
        word = "is uploading" if job.state == RUNNING else "has accepted"
        return Told(PLAIN, f"The charger {word}{f' {job.file_name}' if job.file_name else ''}.")
    return None


def _update(job: FileJob, drop: Drop | None) -> Told | None:
    if job.state == DONE:
        return _installed(job, drop)
    if job.state == FAILED:
        fetched = bool(drop and drop.sent_bytes)
        if job.status == "DownloadFailed":
            how = "It began to fetch the file." if fetched else "It never came for the file."
            return Told(
                BAD,
                f"The charger reports {job.status}. {how}",
                f"It may not reach {_place(drop)}, or not know this protocol. Try the other way.",
                other_way=True,
            )
        return Told(
            BAD,
            f"The charger reports {job.status}.",
            "Check that this firmware is meant for this model.",
        )
    if job.state == RUNNING:
        return Told(PLAIN, f"The charger reports {job.status}.")
    if job.state == ACCEPTED:
        began = " It is fetching the file." if drop and drop.sent_bytes else ""
        return Told(PLAIN, f"The charger has accepted the update.{began}")
    return None


def _installed(job: FileJob, drop: Drop | None) -> Told:
    wanted = drop.firmware.version if drop is not None and drop.firmware else ""
    now = job.firmware_after or job.charge_point.firmware_version
    if job.firmware_after and wanted and job.firmware_after != wanted:
        return Told(
            WARN,
            f"Updated, but the charger reports firmware {job.firmware_after}, not {wanted}.",
            "Compare the version that was entered for this firmware with the charger's.",
        )
    if job.firmware_after:
        return Told(GOOD, f"Updated: the charger booted with firmware {now}.")
    return Told(GOOD, f"The charger reports Installed; it last reported firmware {now or '?'}.")


def _place(drop: Drop | None) -> str:
    return drop.shown_url.partition("/files/")[0].rstrip("/") if drop is not None else "that place"
