"""For which time and whose sessions statements are."""

from datetime import date, datetime, tzinfo

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_noop

from levity.billing.models import Issuer, StatementRun
from levity.days import DAY, Days, midnight, month_before, month_of
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import Site
from levity.ocpp.wire.fields import zone_of
from levity_ws.frozen import frozen

__all__ = ["RunPeriod", "next_period", "period"]

LONGEST = 400
"""Days."""


@frozen
class RunPeriod(Days):
    """The days of a run, by the clock of its place."""

    issuer: Issuer

    @property
    def books_since(self) -> datetime:
        """From when on a session that is on no statement yet comes on this one: what was before
        the first run is never billed by itself."""
        first = self.issuer.runs.order_by("first_day").values_list("first_day", flat=True).first()
        return midnight(min(first or self.first, self.first), self.zone)

    def at(self, path: str = "") -> Q:
        """Rows whose charge point (by this path, such as `charge_point__`) is of this issuer."""
        if self.issuer.site_id is not None:
            return Q(**{f"{path}site": self.issuer.site_id})
        others = Issuer.objects.filter(site__isnull=False).values("site")
        return Q(**{f"{path}site__isnull": True}) | ~Q(**{f"{path}site__in": others})


def period(issuer: Issuer, first: date, last: date) -> RunPeriod:
    """These days; raises `NotPossible` if there can be no statements for them."""
    found = RunPeriod(first, last, _zone(issuer) or timezone.get_current_timezone(), issuer)
    if last < first:
        raise NotPossible(gettext_noop("the last day is before the first"))
    if (last - first).days >= LONGEST or not 1971 <= first.year <= 9000:
        raise NotPossible(gettext_noop("a period has at most %(days)s days"), days=LONGEST)
    closed = StatementRun.objects.filter(issuer=issuer, first_day__lte=last, last_day__gte=first)
    if run := closed.first():
        raise NotPossible(
            gettext_noop("the statements for %(run)s are closed: begin after that"), run=run
        )
    return found


def _zone(issuer: Issuer) -> tzinfo | None:
    """Of its site; of an issuer for several sites, that of all of them if they have the same."""
    if issuer.site is not None:
        zones = {issuer.site.time_zone}
    else:
        others = Site.objects.filter(issuer__isnull=True)
        zones = set(others.order_by().values_list("time_zone", flat=True).distinct())
    name = zones.pop() if len(zones) == 1 else ""
    return zone_of(name) if name else None


def next_period(today: date, closed_until: date | None) -> tuple[date, date]:
    """The first and the last day to bill next: the month before; what of it, or of a later month,
    comes after the days that are closed."""
    first, last = month_before(today)
    if closed_until is None or closed_until < first:
        return first, last
    first = closed_until + DAY
    return first, month_of(first)[1]
