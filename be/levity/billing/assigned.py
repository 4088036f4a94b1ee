"""What households charge with, as somebody may see it: not the chargers of other sites."""

from typing import Any

from django.db.models import Prefetch, Q, QuerySet

from levity.billing.models import Assignment, Household
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import is_limited, visible

__all__ = ["seen_assignments", "with_assignments"]


def seen_assignments(rows: QuerySet[Assignment], user: Any) -> QuerySet[Assignment]:
    """Those of these whose card or place this person may see."""
    if not is_limited(user):
        return rows
    places = visible(ChargePoint.objects.all(), user).values("pk")
    return rows.filter(Q(charge_point=None) | Q(charge_point__in=places))


def with_assignments(rows: QuerySet[Household], user: Any) -> QuerySet[Household]:
    """These households, each with them, in one statement more."""
    seen = seen_assignments(Assignment.objects.select_related("charge_point"), user)
    return rows.prefetch_related(Prefetch("assignments", seen))
