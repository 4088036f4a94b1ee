"""Decisions about which tariff is for whom: said, changed, taken back.

Not by somebody who sees some sites only: a tariff may be for everybody, or for a card that is good
at other sites as well. Sessions that are on no closed statement get the tariff that is said now.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from levity.billing.models import TariffUse
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import LACKS, NotAllowed, check
from levity.ocpp.visibility import is_limited

__all__ = ["add_use", "change_use", "delete_use"]

COLUMNS = (
    *("tariff_id", "site_id", "charge_point_id", "household_id", "id_tag"),
    *("first_day", "last_day"),
)


def add_use(row: TariffUse, who: Who) -> TariffUse:
    """Let this tariff be for these. Raises `ValidationError` for what does not fit, and where
    another is for the same on one of these days."""
    _of_all_sites(who, "billing.add_tariffuse")
    with transaction.atomic():
        _one_at_a_time()
        row.full_clean()
        row.save(force_insert=True)
        note(who, [row], "added", {}, _said(row))
    return row


def change_use(row: TariffUse, values: Mapping[str, Any], who: Who) -> TariffUse:
    """Its days, or whom it is for."""
    _of_all_sites(who, "billing.change_tariffuse")
    check(row, who)
    with transaction.atomic():
        _one_at_a_time()
        found = TariffUse.objects.get(pk=row.pk)
        before = _said(found)
        for name, value in values.items():
            setattr(found, name, value)
        changed = {name: new for name, new in _said(found).items() if before[name] != new}
        if changed:
            found.full_clean()
            found.save(update_fields=[name.removesuffix("_id") for name in changed])
            was = {name: before[name] for name in changed}
            note(who, [found], f"changed: {', '.join(changed)}", was, changed)
    return found


def delete_use(row: TariffUse, who: Who) -> None:
    """As if it had never been said; to end it, change its last day."""
    _of_all_sites(who, "billing.delete_tariffuse")
    check(row, who)
    with transaction.atomic():
        note(who, [row], "deleted", COLUMNS)
        row.delete()


def _said(row: TariffUse) -> dict[str, Any]:
    return {name: getattr(row, name) for name in COLUMNS}


def _one_at_a_time() -> None:
    """Two at once would not see each other, and one thing would have two tariffs."""
    list(TariffUse.objects.order_by("pk").select_for_update(no_key=True).values_list("pk")[:1])


def _of_all_sites(who: Who, permission: str) -> None:
    if who is not None and not who.has_perm(permission):
        raise NotAllowed(LACKS, permission=permission)
    if who is not None and is_limited(who):
        raise NotAllowed(
            gettext_noop("tariffs may be for other sites, too: only a user of all sites may")
        )
