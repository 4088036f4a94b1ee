"""Sessions added up by who pays for them: the database adds up, the rules decide.

Whose a session is depends on its card, its place and its day (`rules/payer.py`). The database
groups sessions by as much of these as can matter: of a card that one household has all the time not
even the place, and of days only the stretches within which nobody moves. So there are about as many
groups as cards and places, whatever the number of sessions, and `Holders` is asked once for each.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from decimal import Decimal
from typing import Any

from django.db.models import Case, Count, F, IntegerField, Q, QuerySet, Value, When
from django.db.models.functions import Lower
from django.utils import timezone

from levity.billing.models import Assignment
from levity.billing.rules.payer import Held, Holders, Payer
from levity.ocpp.models import Site
from levity.ocpp.wire.fields import zone_of
from levity_ws.frozen import frozen

__all__ = ["exact", "held_by_all", "sums_by_payer"]

THOUSANDTH = Decimal("0.001")

DAY = timedelta(days=1)
KEYS = ("of_tag", "of_charger", "of_connector", "of_stretch")
DECIDED, ANYWHERE = -1, -2
"""Instead of a charge point: the payer is known otherwise; the card alone says it."""
ALWAYS, NEVER = Q(pk__isnull=False), Q(pk__isnull=True)
SITE_ZONE = "charge_point__site__time_zone"


def exact(total: Decimal) -> Decimal:
    """A sum of energy or of amounts, which have three decimals: SQLite adds up binary fractions,
    and is wrong somewhere behind these."""
    return total.quantize(THOUSANDTH)


def held_by_all() -> list[Held]:
    """All assignments, in one statement."""
    columns = ("household_id", "first_day", "last_day", "id_tag", "charge_point_id", "connector")
    return [Held(*row) for row in Assignment.objects.order_by().values_list(*columns)]


def sums_by_payer(
    rows: QuerySet[Any],
    since: datetime,
    until: datetime,
    *by: str,
    decided: Q = NEVER,
    **sums: Any,
) -> Iterator[tuple[Payer | None, Mapping[str, Any]]]:
    """`sums` (aggregates) of these sessions, which began in this time: (payer, sums) of each group.

    A payer comes as often as the database has groups of theirs. What is named in `by` stays apart,
    and is among the sums. Payer None: `decided` holds for these, and need not be looked for. Three
    statements at most.
    """
    held = held_by_all()
    # Days are those of the sites, whose clocks differ from each other.
    span = _Days(since.astimezone(UTC).date() - DAY, until.astimezone(UTC).date() + DAY)
    days = span.stretches(held)
    holders = Holders(held)
    keyed = rows.alias(tag_key=Lower("id_tag")).annotate(**_keys(span, held, days, decided))
    for row in keyed.order_by().values(*KEYS, *by).annotate(**sums).iterator(chunk_size=2_000):
        tag, charger, connector, stretch = (row[key] for key in KEYS)
        is_decided = charger == DECIDED
        yield None if is_decided else holders.payer(charger, connector, tag, days[stretch]), row


@frozen
class _Days:
    """Within which the sessions began, by whatever clock."""

    first: date
    last: date

    @property
    def meets(self) -> Q:
        """Assignments that hold on one of them."""
        return Q(first_day__lte=self.last) & (Q(last_day=None) | Q(last_day__gte=self.first))

    @property
    def moves(self) -> Q:
        """Of these, the ones that don't hold on all of them."""
        return Q(first_day__gt=self.first) | Q(last_day__lt=self.last)

    def stretches(self, held: Iterable[Held]) -> list[date]:
        """The first days of the stretches within which everybody keeps what they have."""
        turns = {each.first for each in held}
        turns |= {each.last + DAY for each in held if each.last and each.last < self.last}
        return [self.first, *sorted(day for day in turns if self.first < day <= self.last)]


def _keys(span: _Days, held: list[Held], days: list[date], decided: Q) -> dict[str, Any]:
    met = Assignment.objects.filter(span.meets).order_by()
    cards = met.filter(charge_point=None).annotate(key=Lower("id_tag")).values("key")
    places = met.filter(charge_point__isnull=False).values("charge_point")
    several = cards.annotate(homes=Count("household", distinct=True)).filter(homes__gt=1)
    is_known, moves = Q(tag_key__in=cards), Q(tag_key__in=cards.filter(span.moves))
    is_sure = is_known & ~moves & ~Q(tag_key__in=several.values("key"))
    has_connectors = Q(charge_point__in=places.filter(connector__isnull=False))
    needs_day = moves | Q(charge_point__in=places.filter(span.moves))
    if not all(each.id_tag.isascii() for each in held):
        # SQLite knows the small letters of ASCII only: then all that may matter stays apart.
        is_known = has_connectors = needs_day = ALWAYS
        is_sure = NEVER
    return {
        "of_tag": Case(
            When(decided, then=Value("")),
            When(is_known, then=F("tag_key")),
            default=Value(""),
        ),
        "of_charger": Case(
            When(decided, then=DECIDED),
            When(is_sure, then=ANYWHERE),
            default=F("charge_point_id"),
            output_field=IntegerField(),
        ),
        "of_connector": Case(
            When(decided, then=None),
            When(is_sure, then=None),
            When(has_connectors, then=F("connector")),
            default=None,
            output_field=IntegerField(),
        ),
        "of_stretch": Case(
            When(decided, then=0),
            When(is_sure | ~needs_day, then=0),
            default=_stretch(days),
            output_field=IntegerField(),
        )
        if len(days) > 1
        else Value(0),
    }


def _stretch(days: list[date]) -> Case:
    """In which of these stretches a session began, by the clock of its site."""
    named = Site.objects.order_by().values_list("time_zone", flat=True).distinct()
    return Case(
        *(When(**{SITE_ZONE: name}, then=_since(days, zone_of(name))) for name in named if name),
        default=_since(days, timezone.get_current_timezone()),
    )


def _since(days: list[date], zone: tzinfo) -> Case:
    begins = [datetime.combine(day, time(), zone).astimezone(UTC) for day in days]
    return Case(
        *(
            When(started_at__gte=begins[number], then=number)
            for number in range(len(days) - 1, 0, -1)
        ),
        default=0,
        output_field=IntegerField(),
    )
