"""How long cars kept their places, of what connectors reported: many sessions at once, in a fixed
number of statements."""

from collections import defaultdict
from collections.abc import Collection
from datetime import datetime, timedelta

from django.db.models import Q

from levity.billing.rules.stay import Stay, stay_of
from levity.billing.rules.usage import STAY
from levity.billing.to_price import ToPrice
from levity.ocpp.models import StatusEvent, Transaction

__all__ = ["A_SECOND", "Stays"]

BEFORE = timedelta(days=1)
"""How long before a session its connector may have reported the status that holds at its start."""
MOST_STATUSES = 50_000
A_SECOND = timedelta(seconds=1)
Place = tuple[int, int]


class Stays:
    """The stays of these sessions, as they are known now."""

    def __init__(self, sessions: Collection[ToPrice], now: datetime) -> None:
        self._now = now
        self._statuses: dict[Place, list[tuple[datetime, str]]] = defaultdict(list)
        self._starts: dict[Place, list[datetime]] = defaultdict(list)
        if sessions:
            self._read_statuses(sessions)
            self._read_starts(sessions)

    def of(self, session: ToPrice) -> Stay:
        """Of one of them."""
        # One that lasted no time, by a clock that was never set, has its energy all the same.
        end = max(session.end, session.start + A_SECOND)
        place = _place(session)
        following = next((at for at in self._starts[place] if at >= session.end), None)
        return stay_of(session.start, end, self._statuses[place], following, self._now)

    def _read_statuses(self, sessions: Collection[ToPrice]) -> None:
        first = min(each.start for each in sessions) - BEFORE
        last = max(each.end for each in sessions) + BEFORE
        self._take(Q(charge_point__in={each.charge_point for each in sessions}), first, last)
        # Few cars stay for so long that what they did then is not among it.
        open_places = {
            _place(each) for each in sessions if self.of(each).left in (None, each.end + STAY)
        }
        if open_places:
            of_them = Q()
            for charge_point, connector in sorted(open_places):
                of_them |= Q(charge_point=charge_point, connector=connector)
            self._take(of_them, last, last + STAY)

    def _take(self, which: Q, first: datetime, last: datetime) -> None:
        rows = (
            StatusEvent.objects.filter(which, received_at__gte=first, received_at__lte=last)
            .order_by("id")
            .values_list("charge_point_id", "connector", "reported_at", "received_at", "status")
        )
        for charge_point, connector, reported_at, received_at, status in rows[:MOST_STATUSES]:
            found = self._statuses[charge_point, connector]
            found.append((reported_at or received_at, status))
        for statuses in self._statuses.values():
            statuses.sort(key=lambda each: each[0])

    def _read_starts(self, sessions: Collection[ToPrice]) -> None:
        rows = Transaction.objects.filter(
            charge_point__in={each.charge_point for each in sessions},
            started_at__gte=min(each.end for each in sessions),
            started_at__lte=max(each.end for each in sessions) + STAY,
        )
        for charge_point, connector, at in rows.order_by("started_at").values_list(
            "charge_point_id", "connector", "started_at"
        ):
            self._starts[charge_point, connector or 0].append(at)


def _place(session: ToPrice) -> Place:
    return session.charge_point, session.connector or 0
