"""Uploads and firmware updates as rows: ordered, answered, reported, ended.

No query at all in a batch in which nobody says anything about one.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson
from django.db.models import Q, QuerySet

from levity.db.rows import update_rows, upsert_rows
from levity.ocpp.effects import FileAnswered, FileAsked, FileReported, FirmwareChanged
from levity.ocpp.models import Command, FileJob
from levity.ocpp.rules.file_jobs import (
    CANCELLED,
    DONE,
    FIRMWARE,
    LIVE,
    MOST_REPORTS,
    QUEUED,
    SENT,
    SIGNED_FIRMWARE,
    SILENT,
    UNSENT,
    after_answer,
    after_report,
)
from levity.ocpp.store.values import Outcome, each
from levity_ws.frozen import frozen

__all__ = [
    "SentFileJob",
    "expect_files",
    "is_own_place",
    "settle_file_jobs",
    "unsent_files",
    "write_file_jobs",
]

STILL_HEARD = timedelta(days=3)
"""For so long after its order a job that is over takes further reports: a charger may say Uploaded
after UploadFailed, or install in the night."""
AT_MOST = 20
"""Jobs of one charge point that a report may be about."""
SILENT_AFTER = timedelta(hours=24)
COLUMNS = (
    *("id", "state", "status", "status_at", "history", "detail", "file_name"),
    *("firmware_after", "finished_at"),
)


@frozen
class SentFileJob:
    """A Call that orders a job is on its way."""

    command_id: int
    charge_point_id: int
    asked: FileAsked
    firmware: str
    at: datetime


def expect_files(sent: Sequence[SentFileJob]) -> None:
    """A row for each; one that was made before, for a place of our own, is sent now."""
    upsert_rows(
        FileJob,
        (
            *("command_id", "charge_point_id", "kind", "request_id", "location", "state"),
            *("firmware_before", "sent_at", "created_at"),
            *("is_own", "status", "history", "detail", "file_name", "arrived", "firmware_after"),
        ),
        [
            (
                *(item.command_id, item.charge_point_id, item.asked.kind, item.asked.request_id),
                *(item.asked.location, SENT, item.firmware, item.at, item.at),
                *(False, "", "[]", "", "", 0, ""),
            )
            for item in sent
        ],
        key=("command_id",),
        update=("state", "firmware_before", "sent_at"),
    )


def unsent_files(commands: QuerySet[Command]) -> None:
    """These commands never left: their jobs wait again."""
    FileJob.objects.filter(command__in=commands, state=SENT).update(state=QUEUED, sent_at=None)


def is_own_place(command: int) -> bool:
    """True if the URL in this command was made by Levity, for its own job and charge point."""
    return FileJob.objects.filter(command=command, is_own=True).exists()


def write_file_jobs(outcomes: Sequence[Outcome]) -> None:
    """What chargers answer and report, in one query and one update."""
    said: list[tuple[Outcome, int, Any]] = []
    for kind in (FileAnswered, FileReported, FirmwareChanged):
        said += [(item, owner.id, effect) for item, owner, effect in each(outcomes, kind)]
    if not said:
        return
    order = {id(item): number for number, item in enumerate(outcomes)}
    said.sort(key=lambda one: order[id(one[0])])
    jobs = _jobs_of({owner for _, owner, _ in said}, max(item.arrival.at for item, _, _ in said))
    changed: dict[int, FileJob] = {}
    for item, owner, effect in said:
        for job in _apply(jobs.get(owner, ()), effect, item.arrival.at):
            changed[job.pk] = job
    update_rows(FileJob, COLUMNS, [_row(job) for job in changed.values()])


def settle_file_jobs(now: datetime) -> None:
    """End the jobs whose command came to nothing, and those of which nothing is heard any more."""
    state = Command.State
    live = FileJob.objects.filter(state__in=sorted(LIVE))
    waiting = live.filter(state__in=(QUEUED, SENT))
    lost = waiting.filter(command__state__in=(state.EXPIRED, state.FAILED, state.CANCELLED))
    mute = waiting.filter(command__state=state.TIMED_OUT)
    for rows, end in ((lost, UNSENT), (mute, SILENT)):
        for job in rows.select_related("command")[:500]:
            why = job.command.error_description[:255] if job.command else ""
            FileJob.objects.filter(pk=job.pk).update(state=end, detail=why, finished_at=now)
    old = live.exclude(state=QUEUED).filter(
        Q(status_at__lt=now - SILENT_AFTER) | Q(status_at=None, sent_at__lt=now - SILENT_AFTER)
    )
    old.update(state=SILENT, detail="nothing was heard of it for 24 hours", finished_at=now)


def _jobs_of(owners: set[int], at: datetime) -> Mapping[int, Sequence[FileJob]]:
    """By charge point, its jobs that something may still be said about, the newest first."""
    rows = (
        FileJob.objects.filter(
            Q(state__in=sorted(LIVE)) | Q(created_at__gte=at - STILL_HEARD),
            charge_point__in=sorted(owners),
        )
        .exclude(state=QUEUED)
        .order_by("-pk")
    )
    found: dict[int, list[FileJob]] = {}
    for job in rows[: AT_MOST * len(owners)]:
        found.setdefault(job.charge_point_id, []).append(job)
    return found


def _apply(jobs: Sequence[FileJob], effect: Any, at: datetime) -> list[FileJob]:
    """Change the jobs that this is about; which they were."""
    if isinstance(effect, FileAnswered):
        return _answered(jobs, effect, at)
    if isinstance(effect, FileReported):
        job = _meant(jobs, effect.kinds, effect.request_id)
        return [_reported(job, effect, at)] if job is not None else []
    return [
        _updated(job, effect, at)
        for job in jobs
        if job.kind in (FIRMWARE, SIGNED_FIRMWARE) and job.state in LIVE
    ]


def _answered(jobs: Sequence[FileJob], said: FileAnswered, at: datetime) -> list[FileJob]:
    mine = next((job for job in jobs if job.command_id == said.command_id), None)
    if mine is None:
        return []
    mine.file_name = said.file_name or mine.file_name
    if said.state and (state := after_answer(mine.state, said.state)) != mine.state:
        _turn(mine, state, said.detail, at)
    changed = [mine]
    if said.ends_others:
        for job in jobs:
            if job.kind == mine.kind and job is not mine and job.state in LIVE:
                _turn(job, CANCELLED, "the charger gave it up for a newer one", at)
                changed.append(job)
    return changed


def _meant(
    jobs: Sequence[FileJob], kinds: tuple[str, ...], request_id: int | None
) -> FileJob | None:
    """The job that a report is about: the one it names, else the newest that runs, else the
    newest."""
    if request_id is not None:
        named = (job for job in jobs if job.request_id == request_id and job.kind in kinds)
        return next(named, None)
    for pool in ([job for job in jobs if job.state in LIVE], jobs):
        for kind in kinds:
            for job in pool:
                if job.kind == kind:
                    return job
    return None


def _reported(job: FileJob, said: FileReported, at: datetime) -> FileJob:
    job.history = [*job.history, [at.isoformat(), said.status]][-MOST_REPORTS:]
    job.status, job.status_at = said.status, at
    state = after_report(job.state, said.state)
    if state != job.state:
        _turn(job, state, "", at)
    return job


def _updated(job: FileJob, said: FirmwareChanged, at: datetime) -> FileJob:
    job.firmware_before = job.firmware_before or said.before
    job.firmware_after = said.after
    _turn(job, DONE, f"the charger booted with firmware {said.after}", at)
    return job


def _turn(job: FileJob, state: str, detail: str, at: datetime) -> None:
    job.state, job.detail = state, detail[:255]
    job.finished_at = None if state in LIVE else at


def _row(job: FileJob) -> tuple[Any, ...]:
    values = {name: getattr(job, name) for name in COLUMNS}
    values["history"] = orjson.dumps(job.history).decode()
    return tuple(values.values())
