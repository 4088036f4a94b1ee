"""What is set for many charge points at once: their site, who may charge there, their profile."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Q, QuerySet

from levity.ocpp.audit import Who
from levity.ocpp.deciding import Decided, Left, NotPossible, allowed, decide_all
from levity.ocpp.decisions.charge_point_values import checked
from levity.ocpp.decisions.charge_points import check_site
from levity.ocpp.models import ChargePoint

__all__ = ["SET_TOGETHER", "change_all"]

CHANGE = "ocpp.change_chargepoint"
SET_TOGETHER = (
    *("site", "authorization", "time_zone", "quirk_profile", "max_power", "heartbeat_interval"),
    *("ping_interval", "call_timeout"),
)
"""What may be the same for many; a name or an identity may not."""


def change_all(rows: QuerySet[ChargePoint], values: Mapping[str, Any], who: Who) -> Decided:
    """Set these fields of all these charge points, or of none.

    See `check_site`. Raises `NotAllowed`, `NotPossible` where
    there is nothing to set, and `ValidationError` for values that do not fit. Those that have all
    these values already are left.
    """
    rows = allowed(rows, who, CHANGE)
    if not values:
        raise NotPossible("nothing is to be set: name at least one field")
    if unknown := set(values) - set(SET_TOGETHER):
        raise NotPossible(f"{min(unknown)} can't be set for many charge points at once")
    if "site" in values:
        check_site(values["site"], who)
    found = checked(values, ChargePoint())
    probe = ChargePoint(**found)
    probe.clean_fields(exclude={field.name for field in probe._meta.fields} - {*found})
    differs = Q()
    for name, value in found.items():
        differs |= Q(**{f"{name}__isnull": False}) if value is None else ~Q(**{name: value})
    columns = {"site_id" if name == "site" else name: name for name in found}
    total = rows.count()
    done = decide_all(
        rows,
        who,
        f"changed with others: {', '.join(found)}",
        lambda portion: portion.update(**found),
        only=differs,
        before=list(columns),
        after={column: getattr(probe, column) for column in columns},
    )
    return Decided(done, (Left(total - done, "had these values already"),) * (total > done))
