"""Firmware for many chargers, in waves: begun, driven, paused, cancelled; and stopped by itself.

Nothing is kept in memory: `drive` goes on wherever it is called, and one process calls it.
"""

import logging
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from levity.files import jobs, telling
from levity.files.jobs import Asking
from levity.files.models import Campaign, CampaignTarget, Firmware
from levity.ocpp.audit import Who, note, person
from levity.ocpp.commands.sending import SEND
from levity.ocpp.deciding import NotPossible, Refused, allowed, check
from levity.ocpp.models import ChargePoint, Transaction
from levity.ocpp.rules.file_jobs import DONE
from levity_ws.frozen import frozen

__all__ = [
    "MANAGE",
    "MOST",
    "Plan",
    "begin",
    "cancel",
    "counted",
    "counts",
    "doubts",
    "drive",
    "is_meant_for",
    "pause",
    "pause_all",
    "resume",
    "with_counts",
]

log = logging.getLogger(__name__)

MANAGE = "files.add_campaign"
AT_ONCE, MOST = 200, 5_000
State, Target = Campaign.State, CampaignTarget.State
OPEN = (State.SCHEDULED, State.RUNNING, State.PAUSED)


@frozen
class Plan:
    """How a campaign goes about it."""

    name: str = ""
    wave_size: int = 5
    pause_minutes: int = 10
    stop_after: int = 1
    only_idle: bool = True
    patience_minutes: int = 120
    starts_at: datetime | None = None
    """None: at once."""
    protocol: str = ""


def is_meant_for(firmware: Firmware, row: ChargePoint) -> bool:
    """Vendor and model, as far as the firmware names them, are this charger's; its version not."""
    named = [(word, str(getattr(firmware, word))) for word in ("vendor", "model")]
    given = [(word, name) for word, name in named if name]
    fits = all(_same(name, getattr(row, word)) for word, name in given)
    return bool(given) and fits and row.firmware_version != firmware.version


def doubts(firmware: Firmware, charge_points: Sequence[ChargePoint]) -> list[str]:
    """What speaks against sending this firmware to these, for people; empty: nothing."""
    found = []
    for word, name in (("vendor", firmware.vendor), ("model", firmware.model)):
        others = [row for row in charge_points if name and not _same(name, getattr(row, word))]
        if others:
            names = ", ".join(row.identity for row in others[:5])
            more = f" and {len(others) - 5} more" if len(others) > 5 else ""
            found.append(
                f"This firmware is for {word} {name}; {names}{more} report"
                f"{'s' if len(others) == 1 else ''} another {word}, or none."
            )
    has_it = [row for row in charge_points if row.firmware_version == firmware.version]
    if has_it:
        found.append(f"{len(has_it)} of them already report firmware {firmware.version}.")
    if not (firmware.vendor or firmware.model):
        found.append("This firmware names no vendor or model: Levity can't check that it fits.")
    known = sorted({row.firmware_version for row in charge_points if row.firmware_version})
    found.append(
        f"Now on {', '.join(known[:5]) or 'an unknown firmware'}. Levity can't tell whether "
        f"{firmware.version} is newer: version numbers are the manufacturer's own."
    )
    return found


def begin(
    firmware: Firmware, charge_points: QuerySet[ChargePoint], who: Who, plan: Plan, asking: Asking
) -> Campaign:
    """A campaign that runs by itself from its start on."""
    check(firmware, who, MANAGE, SEND)
    rows = allowed(charge_points, who, SEND)
    keys = list(rows.order_by("identity").values_list("pk", flat=True)[: MOST + 1])
    if not keys:
        raise NotPossible("select at least one charge point")
    if len(keys) > MOST:
        raise NotPossible(f"a campaign has at most {MOST:,} charge points: begin one for each part")
    for value, name in (
        (plan.wave_size, "charge points in a wave"),
        (plan.stop_after, "failures after which it stops"),
        (plan.patience_minutes, "minutes of patience"),
    ):
        if value < 1:
            raise NotPossible(f"{name}: at least 1")
    now = timezone.now()
    with transaction.atomic():
        campaign = Campaign.objects.create(
            firmware=firmware,
            name=(plan.name or f"{firmware} to {len(keys)} charge points")[:100],
            wave_size=plan.wave_size,
            pause_minutes=plan.pause_minutes,
            stop_after=plan.stop_after,
            only_idle=plan.only_idle,
            patience_minutes=plan.patience_minutes,
            starts_at=plan.starts_at or now,
            protocol=plan.protocol,
            base_url=_called(asking),
            created_by=person(who),
        )
        CampaignTarget.objects.bulk_create(
            CampaignTarget(campaign=campaign, charge_point_id=key) for key in keys
        )
        note(who, [campaign], f"campaign begun for {len(keys)} charge points")
    return campaign


def pause(campaign: Campaign, who: Who) -> None:
    """No further charge point is updated; what runs goes on."""
    _turn(campaign, who, (State.SCHEDULED, State.RUNNING), State.PAUSED, "paused")


def resume(campaign: Campaign, who: Who) -> None:
    """Go on, also after it has stopped by itself: failures count anew from here."""
    with transaction.atomic():
        _turn(campaign, who, (State.PAUSED, State.STOPPED), State.RUNNING, "resumed")
        failed = campaign.targets.filter(state=Target.FAILED).count()
        Campaign.objects.filter(pk=campaign.pk).update(
            why="", finished_at=None, next_wave_at=None, forgiven=failed
        )


def pause_all() -> int:
    """Pause all that go on or are to begin, where the database was restored; how many."""
    rows = list(Campaign.objects.filter(state__in=(State.SCHEDULED, State.RUNNING)))
    Campaign.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.PAUSED)
    note(None, rows, "paused: the database was restored from a backup")
    return len(rows)


def cancel(campaign: Campaign, who: Who) -> None:
    """For good; what runs at a charger can't be called back."""
    with transaction.atomic():
        _turn(campaign, who, (*OPEN, State.STOPPED), State.CANCELLED, "cancelled")
        Campaign.objects.filter(pk=campaign.pk).update(finished_at=timezone.now())
        waiting = campaign.targets.filter(state=Target.WAITING)
        waiting.update(state=Target.SKIPPED, why="the campaign was cancelled")


def with_counts(rows: QuerySet[Campaign]) -> QuerySet[Campaign]:
    """The same with how many charge points are in which state (`counted`)."""
    return rows.annotate(
        **{
            f"count_{state.value}": Count("targets", filter=Q(targets__state=state))
            for state in Target
        }
    )


def counted(campaign: Campaign) -> Mapping[str, int]:
    """The `counts` of a campaign that was read `with_counts`."""
    return {state.value: getattr(campaign, f"count_{state.value}") for state in Target}


def counts(campaign: Campaign) -> Mapping[str, int]:
    """How many charge points are in which state."""
    return counted(with_counts(Campaign.objects.filter(pk=campaign.pk)).get())


def drive(now: datetime) -> None:
    """Look at every campaign that runs, and do what is due."""
    due = Campaign.objects.filter(state__in=(State.SCHEDULED, State.RUNNING), starts_at__lte=now)
    running = Campaign.objects.filter(targets__state=Target.RUNNING)
    for pk in {*due.values_list("pk", flat=True), *running.values_list("pk", flat=True)}:
        with transaction.atomic():
            locked = Campaign.objects.select_for_update(no_key=True).select_related("firmware")
            _drive_one(locked.get(pk=pk), now)


def _drive_one(campaign: Campaign, now: datetime) -> None:
    running = list(
        campaign.targets.filter(state=Target.RUNNING)
        .select_related("job__drop__firmware", "job__charge_point", "charge_point")
        .order_by("pk")[:AT_ONCE]
    )
    left = sum(not _settled(target, campaign, now) for target in running)
    if campaign.state not in (State.SCHEDULED, State.RUNNING):
        return
    failed = campaign.targets.filter(state=Target.FAILED).count() - campaign.forgiven
    if failed >= campaign.stop_after:
        campaign.state = State.STOPPED
        campaign.why = f"{failed} failed; it stops after {campaign.stop_after}"
        log.warning("firmware campaign %s stopped by itself: %s", campaign.pk, campaign.why)
        note(None, [campaign], f"stopped by itself: {campaign.why}")
    elif left == 0:
        _next_wave(campaign, bool(running), now)
    campaign.save()


def _settled(target: CampaignTarget, campaign: Campaign, now: datetime) -> bool:
    """Write down how this one ended; False if it goes on."""
    job = target.job
    if job is None:
        return _end(target, Target.FAILED, "its job is gone", now)
    if job.state == DONE:
        return _end(target, Target.DONE, telling.told(job, getattr(job, "drop", None)).text, now)
    if telling.is_over(job):
        return _end(target, Target.FAILED, telling.told(job, getattr(job, "drop", None)).text, now)
    since = target.started_at or now
    if now - since > timedelta(minutes=campaign.patience_minutes):
        why = f"no result within {campaign.patience_minutes} minutes"
        return _end(target, Target.FAILED, f"{why} ({job.status or job.state})", now)
    return False


def _end(target: CampaignTarget, state: str, why: str, now: datetime) -> bool:
    target.state, target.why, target.finished_at = state, why[:255], now
    target.save()
    return True


def _next_wave(campaign: Campaign, has_just_ended: bool, now: datetime) -> None:
    waiting = campaign.targets.filter(state=Target.WAITING)
    gone = waiting.filter(charge_point__retired_at__isnull=False, charge_point__connection=None)
    gone.update(state=Target.SKIPPED, why="it was retired", finished_at=now)
    if not waiting.exists():
        campaign.state, campaign.finished_at = State.DONE, now
        return
    if has_just_ended:
        campaign.next_wave_at = now + timedelta(minutes=campaign.pause_minutes)
    if campaign.next_wave_at is not None and now < campaign.next_wave_at:
        return
    campaign.state = State.RUNNING
    ready = _ready(campaign, waiting)[: campaign.wave_size]
    if not ready:
        return
    campaign.wave += 1
    campaign.next_wave_at = None
    for target in ready:
        _start(target, campaign, now)


def _ready(campaign: Campaign, waiting: QuerySet[CampaignTarget]) -> QuerySet[CampaignTarget]:
    """Those that are connected, and idle if that matters; what the others wait for is noted."""
    charging = Exists(
        Transaction.objects.filter(
            charge_point=OuterRef("charge_point"), state=Transaction.State.ACTIVE
        )
    )
    rows = waiting.select_related("charge_point").order_by("pk")
    waiting.filter(charge_point__connection=None).update(why="waits: it is offline")
    rows = rows.filter(charge_point__connection__isnull=False)
    if campaign.only_idle:
        waiting.filter(charging, charge_point__connection__isnull=False).update(
            why="waits: it is charging"
        )
        rows = rows.exclude(charging)
    return rows


def _start(target: CampaignTarget, campaign: Campaign, now: datetime) -> None:
    target.wave, target.started_at, target.why = campaign.wave, now, ""
    called, secure = _asked_from(campaign)
    try:
        with transaction.atomic():
            target.job = jobs.update_firmware(
                target.charge_point,
                campaign.firmware,
                campaign.created_by,
                Asking(called, secure, protocol=campaign.protocol),
            )
        target.state = Target.RUNNING
    except Refused as refused:
        target.state, target.why, target.finished_at = Target.FAILED, refused.sentence[:255], now
    target.save()


def _called(asking: Asking) -> str:
    return asking.called and f"{'https' if asking.secure else 'http'}://{asking.called}"


def _asked_from(campaign: Campaign) -> tuple[str, bool]:
    scheme, _, called = campaign.base_url.partition("://")
    return called, scheme == "https"


def _turn(campaign: Campaign, who: Who, only: Sequence[Any], state: str, what: str) -> None:
    check(campaign, who, MANAGE)
    with transaction.atomic():
        rows = Campaign.objects.filter(pk=campaign.pk, state__in=only)
        if not rows.update(state=state):
            shown = Campaign.objects.get(pk=campaign.pk).get_state_display()
            raise NotPossible(f"this campaign can't be {what}: it is {shown}")
        note(who, [campaign], what)


def _same(one: str, other: str) -> bool:
    return one.strip().lower() == other.strip().lower()
