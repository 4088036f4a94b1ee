"""MeterValues move from rows into traces: those of sessions that are over, and of days that are.

Each step is one short transaction under the charge point's turn. It writes a trace and deletes the
rows that are in it now, so whoever dies in the middle has done nothing, and whoever comes next
finds the same rows. What comes to a session that has moved (late samples, a session that goes on)
are rows again and join its trace in the same way.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from time import monotonic
from typing import Any, TypeVar

from django.db import transaction
from django.db.models import Model, Q, QuerySet
from django.db.models.functions import Length

from levity.db.rows import delete_rows
from levity.ocpp.models import (
    ChargePoint,
    LegacySample,
    MeterValue,
    SampleTrace,
    Transaction,
)
from levity.ocpp.store.pace import Pace
from levity.ocpp.store.queries import is_only_mover, take_turns
from levity.ocpp.store.samples.elements import Element, arrival
from levity.ocpp.store.samples.legacy import is_empty, legacy_elements
from levity.ocpp.store.samples.reading import of_whole_trace, with_ids
from levity.ocpp.store.samples.shapes import store_shapes
from levity.ocpp.store.samples.traces import write_trace
from levity.ocpp.store.samples.trails import follow
from levity_ws.frozen import frozen

__all__ = ["Mover", "move_some", "over_before"]

# MeterValues, and samples of the releases before, of a step, at most.
AT_ONCE, SAMPLES_AT_ONCE = 500, 1_000
LEAST = 100
"""MeterValues of a step, however slow the machine is: with less, most of it would be overhead."""
# The same where a MeterValue has very many samples, or long ones: signed data, or malice.
VALUES_AT_ONCE, CHARACTERS_AT_ONCE = 5_000, 128 * 1024
# A trace with so many, or with so many samples or characters, is full.
FULL = 1_000
FULL_VALUES, FULL_CHARACTERS = 10_000, 256 * 1024
# Rows looked at in one go for something that can move.
LOOK = 2_000
# Of the traces of the same time, so many are looked at for the same MeterValues.
COMPARED = 16


@frozen
class Owner:
    """A session, or a connector's day outside of sessions: what has a trace of its own."""

    charge_point: int
    transaction: int | None
    evse: int = 0
    connector: int = 0
    day: date | None = None

    @property
    def rows(self) -> Q:
        """Its rows, of this release or of those before."""
        return self._where("sampled_at")

    @property
    def traces(self) -> Q:
        """Its traces."""
        return self._where("first_at")

    def _where(self, time_of: str) -> Q:
        if self.transaction is not None:
            return Q(transaction=self.transaction)
        assert self.day is not None
        begins = datetime.combine(self.day, time(), UTC)
        return Q(
            ("charge_point", self.charge_point),
            ("transaction", None),
            ("evse", self.evse),
            ("connector", self.connector),
            (f"{time_of}__gte", begins),
            (f"{time_of}__lt", begins + timedelta(days=1)),
        )


def move_some(now: datetime, budget: float, kept: timedelta) -> int:
    """Move what has been over for `kept`, for about `budget` seconds; how many MeterValues."""
    mover, ends_at, moved = Mover(), monotonic() + budget, 0
    while step := mover.step(now, kept):
        moved += step
        if monotonic() >= ends_at:
            break
    return moved


class Mover:
    """Finds what can move, step by step, from the oldest rows on; begins anew when it is through.

    Where it stands is forgotten when the process ends: rows that can't move yet are few.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._waiting: list[Owner] = []
        self._tables: list[type[Model]] | None = None
        self._after: int | None = None
        self._pace = Pace(AT_ONCE, LEAST)

    def step(self, now: datetime, kept: timedelta) -> int:
        """One short transaction; how many MeterValues have moved. 0: there is nothing left."""
        before = now - kept
        while True:
            while self._waiting:
                owner = self._waiting.pop(0)
                # (Not put back where that fails: the next one has its turn.)
                began = self._clock()
                if moved := _move(owner, before, self._pace.rows):
                    self._pace.took(moved, self._clock() - began)
                    self._waiting.insert(0, owner)
                    return moved
            if not self._look(before):
                self._tables, self._after = None, None
                return 0

    def _look(self, before: datetime) -> bool:
        """Find more that may move; False: there is no more."""
        if self._tables is None:
            self._tables = _tables()
        while self._tables:
            rows = self._tables[0]._meta.default_manager.order_by("id")  # type: ignore[union-attr]
            if self._after is not None:
                rows = rows.filter(id__gt=self._after)
            found = list(rows.values_list(*LOOKED_AT)[:LOOK])
            old = [row for row in found if row[-1] < before]
            if old:
                self._after = found[-1][0]
                self._waiting = list(_over(_owners(old), before))
                return True
            self._tables, self._after = self._tables[1:], None
        return False


LOOKED_AT = (
    *("id", "charge_point_id", "transaction_id", "evse", "connector", "sampled_at", "received_at"),
)


def _tables() -> list[type[Model]]:
    return [MeterValue] if is_empty() else [LegacySample, MeterValue]


def _owners(rows: Sequence[tuple[Any, ...]]) -> list[Owner]:
    found: dict[Owner, None] = {}
    for _, charge_point, session, evse, connector, sampled_at, _ in rows:
        if session is not None:
            found[Owner(charge_point, session)] = None
        else:
            day = sampled_at.astimezone(UTC).date()
            found[Owner(charge_point, None, evse, connector, day)] = None
    return list(found)


def _over(owners: Collection[Owner], before: datetime) -> Iterator[Owner]:
    """Those that are over since then."""
    sessions = {owner.transaction for owner in owners if owner.transaction is not None}
    over = set(_ended(before).filter(pk__in=sessions).values_list("pk", flat=True))
    for owner in owners:
        if owner.transaction is None or owner.transaction in over:
            yield owner


def over_before(before: datetime) -> Q:
    """The rows of sessions that were over then, and those of none that came before."""
    ended = Q(transaction__in=_ended(before).values("pk"))
    return Q(received_at__lt=before) & (Q(transaction=None) | ended)


def _ended(before: datetime) -> Any:
    ended = Transaction.objects.exclude(state=Transaction.State.ACTIVE)
    return ended.filter(Q(stop_received_at=None) | Q(stop_received_at__lt=before))


def _move(owner: Owner, before: datetime, at_once: int) -> int:
    rows = ChargePoint.objects.filter(pk=owner.charge_point)
    identities = [name.lower() for name in rows.values_list("identity", flat=True)]
    with transaction.atomic():
        if not is_only_mover():
            return 0
        take_turns(identities)
        session = owner.transaction
        if session is not None and not _ended(before).filter(pk=session).exists():
            return 0
        found = _some(owner, before, at_once)
        if not found:
            return 0
        _into_trace(owner, found)
    return len(found)


def _some(owner: Owner, before: datetime, at_once: int) -> list[Element]:
    """The first that can move, as many as a step may have."""
    rows = MeterValue.objects.filter(owner.rows)
    if owner.transaction is None and _goes_on(rows, before):
        return []
    earlier = (
        [] if is_empty() else _some_of_before(owner, before, SAMPLES_AT_ONCE * at_once // AT_ONCE)
    )
    if earlier:
        return earlier
    sizes = rows.filter(received_at__lt=before).order_by("id").annotate(size=Length("raw_values"))
    some = _up_to(CHARACTERS_AT_ONCE, sizes.values_list("pk", "size")[:at_once])
    whole = with_ids([pk for pk, _ in some])
    return [
        element
        for element, _ in _up_to(VALUES_AT_ONCE, ((each, len(each.values)) for each in whole))
    ]


_T = TypeVar("_T")


def _up_to(most: int, sized: Iterable[tuple[_T, int]]) -> list[tuple[_T, int]]:
    """The first of these, until their sizes come to so much; one at least, if there is one."""
    found: list[tuple[_T, int]] = []
    for one, size in sized:
        most -= size
        if found and most < 0:
            break
        found.append((one, size))
    return found


def _goes_on(rows: QuerySet[MeterValue], before: datetime) -> bool:
    """True if that day is not over by the charger's clock. One that stands still makes nobody
    wait."""
    if not rows.filter(received_at__gte=before).exists():
        return False
    return rows.filter(received_at__lt=before)[:FULL].count() < FULL


def _some_of_before(owner: Owner, before: datetime, at_once: int) -> list[Element]:
    rows = LegacySample.objects.filter(owner.rows, received_at__lt=before).order_by("id")
    some = list(rows.values_list("pk", flat=True)[:at_once])
    found = legacy_elements(LegacySample.objects.filter(pk__in=some))
    if len(some) < at_once:
        return found
    # The last one may go on.
    last = max(found, key=lambda element: element.rows[-1])
    whole = [
        element
        for element in found
        if (element.sampled_at, element.received_at) != (last.sampled_at, last.received_at)
    ]
    return whole or found


def _into_trace(owner: Owner, found: Sequence[Element]) -> None:
    first = min(element.sampled_at for element in found)
    last = max(element.sampled_at for element in found)
    same_time = SampleTrace.objects.filter(
        charge_point=owner.charge_point, last_at__gte=first, first_at__lte=last
    ).order_by("-id")[:COMPARED]
    known = {element.identity: element.id for trace in same_time for element in _readable(trace)}
    fresh = [element for element in found if element.identity not in known]
    store_shapes(element.shape for element in fresh if element.rows)
    if fresh:
        trace = SampleTrace.objects.filter(owner.traces).order_by("-id").first()
        kept = _readable(trace) if trace and _has_room(trace, fresh) else []
        if _characters(kept) + _characters(fresh) > FULL_CHARACTERS:
            kept = []
        if trace is None or not kept:
            trace = SampleTrace(
                charge_point_id=owner.charge_point,
                transaction_id=owner.transaction,
                evse=owner.evse or fresh[0].evse,
                connector=owner.connector or fresh[0].connector,
            )
        write_trace(trace, sorted([*kept, *fresh], key=arrival))
    follow(found, {element.id: known.get(element.identity, element.id) for element in found})
    delete_rows(LegacySample, [pk for element in found for pk in element.rows])
    delete_rows(MeterValue, [element.id for element in found if not element.rows])


def _has_room(trace: SampleTrace, fresh: Sequence[Element]) -> bool:
    values = sum(len(element.values) for element in fresh)
    return trace.elements + len(fresh) <= FULL and trace.samples + values <= FULL_VALUES


def _characters(elements: Iterable[Element]) -> int:
    return sum(len(value) for element in elements for value in element.values)


def _readable(trace: SampleTrace) -> list[Element]:
    """Nothing where it is damaged: then it stays as it is, beside a new one."""
    try:
        return of_whole_trace(trace)
    except ValueError:
        return []
