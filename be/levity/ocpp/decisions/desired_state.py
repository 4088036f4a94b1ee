"""What time decides about configurations: chargers are kept as their templates say, and a charger
that is new, or has new firmware, is asked once how it is configured.

A worker looks every few seconds (`worker.housekeeping`). A look takes a fixed number of statements,
however many chargers it is about; each has one step to do: it is read, changed, read back.
Nothing goes out while a Call waits for that charger or a car has just been plugged in.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q

from levity.db.rows import upsert_rows
from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.commands.each import Asked, queue_each
from levity.ocpp.conf import setting
from levity.ocpp.decisions.configuration import asked_in_portions
from levity.ocpp.decisions.wanted_state import Assignments, differences_of, keys_now
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationState,
    Connector,
)
from levity.ocpp.rules.desired import (
    MOST_A_BOOT,
    MOST_A_DAY,
    Difference,
    KeyNow,
    Wanted,
    wait_before,
)
from levity.ocpp.versions import version_of

__all__ = [
    "AFTER_BOOT",
    "ASKED_AFTER_BOOT",
    "SOURCE",
    "look_after",
]

SOURCE = "configuration template"
ASKED_AFTER_BOOT = "configuration: after boot"
AFTER_BOOT = timedelta(seconds=30)
"""A charger that has booted has other things to tell first."""
SOON, LATER = timedelta(seconds=5), timedelta(minutes=5)
AT_ONCE = 200
ASKED_AT_ONCE = 50
# Our readings that a charger restarts within so long of are to blame for it.
TO_BLAME = timedelta(minutes=5)
STATUS_OF_A_CAR_THAT_CAME = "Preparing"
Step = ConfigurationState.Step
COLUMNS = (
    *("charge_point_id", "read_firmware", "wanted", "boot", "step", "since", "next_at"),
    *("tries_boot", "tries_day", "day", "gave_up", "is_held", "in_step_at", "differing"),
)


def look_after(now: datetime, *, is_minute: bool) -> None:
    """Do what is due."""
    if is_minute:
        if setting("OCPP_READ_CONFIGURATION"):
            ask_after_boot(now)
        notice(now)
    advance(now)


@transaction.atomic
def ask_after_boot(now: datetime) -> int:
    """Ask those who have booted with a make and firmware that was not asked yet; how many."""
    rows = list(
        ChargePoint.objects.filter(
            connection__isnull=False,
            registration=ChargePoint.Registration.ACCEPTED,
            booted_at__lte=now - AFTER_BOOT,
            # It has said something since: a line that is not used for anything else stays as it is
            # (proxies and Ocular end one that is silent, which is how its interval is learned).
            last_seen_at__gte=F("booted_at") + AFTER_BOOT,
            retired_at=None,
        )
        .filter(
            # What it is now was asked, unless its firmware is another since.
            Q(configuration_state=None)
            | Q(configuration_state__boot_asked=None)
            | Q(configuration_state__boot_asked__lt=F("booted_at"))
        )
        .select_related("configuration_state")
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("pk")[: 4 * ASKED_AT_ONCE]
    )
    if not rows:
        return 0
    busy = _busy([row.pk for row in rows])
    calls: list[Asked] = []
    done: list[tuple[Any, ...]] = []
    for row in rows:
        state = getattr(row, "configuration_state", None)
        mark = _mark([row.vendor, row.model, row.firmware_version])
        known = state.read_firmware if state is not None else ""
        may = quirks_of(row).reads_configuration
        if known == mark or not may:
            done.append((row.pk, known, row.booted_at))
        elif row.pk not in busy and len(calls) < ASKED_AT_ONCE:
            version = version_of(row.subprotocol)
            calls.append(Asked(row, *version.configuration.ask(version.configuration.after_boot)))
            done.append((row.pk, mark, row.booted_at))
    upsert_rows(
        ConfigurationState,
        ("charge_point_id", "read_firmware", "boot_asked"),
        done,
        key=("charge_point_id",),
        update=("read_firmware", "boot_asked"),
    )
    return sum(made is not None for made in queue_each(calls, now, source=ASKED_AFTER_BOOT))


def notice(now: datetime) -> None:
    """Those that have booted, or whose templates say something else now, are due."""
    assignments = Assignments.load()
    if assignments.is_empty:
        return
    rows = (
        ChargePoint.objects.filter(assignments.concerned())
        .filter(
            connection__isnull=False,
            registration=ChargePoint.Registration.ACCEPTED,
            retired_at=None,
        )
        .select_related("configuration_state")
        .order_by("pk")
    )
    changed = []
    for row in rows:
        state = getattr(row, "configuration_state", None)
        state = state or ConfigurationState(charge_point_id=row.pk)
        if _noticed(state, row, _mark_of(assignments.wanted(row)), now):
            changed.append(state)
    _write(changed)


def _noticed(state: ConfigurationState, row: ChargePoint, mark: str, now: datetime) -> bool:
    """Whether this state is another one now."""
    has_booted = row.booted_at is not None and row.booted_at != state.boot
    if mark != state.wanted:
        state.wanted, state.boot = mark, row.booted_at
        state.tries_boot = state.tries_day = 0
        state.is_held, state.gave_up = False, ""
        state.step, state.since, state.next_at = "", None, now if mark else None
        state.differing = 0
        return True
    if not has_booted or not mark:
        return False
    began = state.since
    # Soon after our work began, and before it was done: it is what has restarted the charger.
    if began is not None and row.booted_at and began <= row.booted_at <= began + TO_BLAME:
        state.is_held = True
        state.gave_up = (
            "the charger restarted when it was read or changed: not tried again until a template "
            "changes, or you apply it"
        )
    state.boot, state.tries_boot = row.booted_at, 0
    state.step, state.since = "", None
    state.next_at = None if state.is_held else now + AFTER_BOOT
    return True


def advance(now: datetime) -> None:
    """The next step of those that are due."""
    if ConfigurationState.objects.filter(next_at__lte=now).exists():
        with transaction.atomic():
            _advance(now)


def _advance(now: datetime) -> None:
    due = list(
        ConfigurationState.objects.filter(next_at__lte=now)
        .select_related("charge_point")
        # Another worker has the others in hand.
        .select_for_update(skip_locked=True, of=("self",), no_key=True)
        .order_by("next_at")[:AT_ONCE]
    )
    assignments = Assignments.load()
    keys = [state.charge_point_id for state in due]
    busy, known, results = _busy(keys), keys_now(state.charge_point for state in due), _results(due)
    calls: list[Asked] = []
    for state in due:
        row = state.charge_point
        if row.connection is None or row.retired_at is not None:
            state.next_at = now + LATER
        elif row.pk in busy:
            state.next_at = now + SOON
        else:
            wanted = assignments.wanted(row)
            calls += _step(state, wanted, known[row.pk], results.get(row.pk, ()), now)
    _write(due)
    queue_each(calls, now, source=SOURCE)


def _step(
    state: ConfigurationState,
    wanted: Mapping[str, Wanted],
    known: Mapping[str, KeyNow],
    results: Sequence[str],
    now: datetime,
) -> list[Asked]:
    """What is sent next to this charger; the state is what it is after that."""
    row = state.charge_point
    if not wanted:
        state.next_at, state.step = None, ""
        return []
    found = differences_of(row, wanted, known)
    to_do = [item for item in found if not item.why_not]
    state.differing = len(found)
    may_read = quirks_of(row).reads_configuration
    if state.step == Step.READING and Command.State.ANSWERED not in results:
        return _try_later(state, "it did not answer when it was read", now)
    if state.step == "" and may_read:
        return _begin(state, wanted, known, now)
    if not to_do:
        return _done(state, found, now)
    if state.step == Step.CHANGING:
        names = ", ".join(item.wanted.key for item in to_do[:3])
        return _try_later(state, f"{names} is still not as wanted", now)
    if not may_read and not _counted(state, now):
        return []
    version = version_of(row.subprotocol)
    calls = [
        Asked(row, *version.configuration.put(item.wanted.key, item.wanted.value)) for item in to_do
    ]
    if may_read:
        spelled = [item.wanted.key for item in to_do]
        values = {name: item.value for name, item in known.items()}
        calls += [Asked(row, *each) for each in asked_in_portions(version, spelled, values)]
    state.step, state.since, state.next_at = Step.CHANGING, now, now + SOON
    return calls


def _begin(
    state: ConfigurationState,
    wanted: Mapping[str, Wanted],
    known: Mapping[str, KeyNow],
    now: datetime,
) -> list[Asked]:
    """Read what it has now, if there is a try left."""
    if not _counted(state, now):
        return []
    row = state.charge_point
    version, profile = version_of(row.subprotocol), quirks_of(row)
    unsafe = {name.lower() for name in profile.unsafe_keys}
    keys = [item.key for name, item in wanted.items() if name not in unsafe]
    values = {name: item.value for name, item in known.items()}
    state.step, state.since, state.next_at = Step.READING, now, now + SOON
    return [Asked(row, *each) for each in asked_in_portions(version, keys, values)]


def _counted(state: ConfigurationState, now: datetime) -> bool:
    """Count a try; False if there is none left."""
    if state.day != now.date():
        state.day, state.tries_day = now.date(), 0
    why = ""
    if state.is_held:
        why = state.gave_up
    elif state.tries_boot >= MOST_A_BOOT:
        why = f"{MOST_A_BOOT} tries since it booted: {state.gave_up}"
    elif state.tries_day >= MOST_A_DAY:
        why = f"{MOST_A_DAY} tries today: {state.gave_up}"
    if why:
        state.gave_up, state.step, state.next_at = why[:255], "", None
        return False
    state.tries_boot += 1
    state.tries_day += 1
    return True


def _try_later(state: ConfigurationState, why: str, now: datetime) -> list[Asked]:
    state.gave_up, state.step = why[:255], ""
    state.next_at = now + wait_before(state.tries_boot)
    return []


def _done(state: ConfigurationState, left: Sequence[Difference], now: datetime) -> list[Asked]:
    """As it should be, but for what it refuses."""
    state.step, state.since, state.next_at, state.in_step_at = "", None, None, now
    said = [f"{item.wanted.key}: {item.why_not}" for item in left]
    state.gave_up = "; ".join(said)[:255]
    return []


def _busy(keys: Sequence[int]) -> set[int]:
    """Those for which a Call waits, or where a car has just been plugged in."""
    open_states = (Command.State.QUEUED, Command.State.SENT)
    waiting = Command.objects.filter(charge_point__in=keys, state__in=open_states)
    came = Connector.objects.filter(charge_point__in=keys, status=STATUS_OF_A_CAR_THAT_CAME)
    return {
        *waiting.order_by().values_list("charge_point_id", flat=True),
        *came.order_by().values_list("charge_point_id", flat=True),
    }


def _results(states: Sequence[ConfigurationState]) -> dict[int, list[str]]:
    """How the Calls of the present step ended, by charge point."""
    reading = {state.charge_point_id: state.since for state in states if state.step and state.since}
    if not reading:
        return {}
    rows = Command.objects.filter(
        charge_point__in=reading, source=SOURCE, created_at__gte=min(reading.values())
    ).order_by()
    found: dict[int, list[str]] = {}
    for pk, at, ended in rows.values_list("charge_point_id", "created_at", "state"):
        if at >= reading[pk]:
            found.setdefault(pk, []).append(ended)
    return found


def _write(states: Sequence[ConfigurationState]) -> None:
    upsert_rows(
        ConfigurationState,
        COLUMNS,
        [tuple(getattr(state, name) for name in COLUMNS) for state in states],
        key=("charge_point_id",),
        update=COLUMNS[2:],
    )


def _mark_of(wanted: Mapping[str, Wanted]) -> str:
    return _mark(sorted((name, item.value) for name, item in wanted.items())) if wanted else ""


def _mark(values: Any) -> str:
    return hashlib.blake2b(json.dumps(values).encode(), digest_size=16).hexdigest()
