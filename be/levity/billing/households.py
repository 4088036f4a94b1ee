"""Households and what each charges with, as people decide it: added, changed, moved out.

Not by somebody who sees some sites only: a card may be good at others as well.
"""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_noop

from levity.billing.models import Assignment, Household
from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import LACKS, NotAllowed, NotPossible, check, delete_unreferenced
from levity.ocpp.visibility import is_limited

__all__ = [
    "ALL_SITES",
    "AUDITED",
    "add_household",
    "assign",
    "change_assignment",
    "change_household",
    "delete_household",
    "unassign",
]

AUDITED = ("name", "flat", "parking", "site_id", "email", "language")
CHANGE = "billing.change_household"
ALL_SITES = gettext_noop("households may have cards of other sites: only a user of all sites may")


def add_household(row: Household, who: Who) -> Household:
    """A new one; raises `ValidationError` for values that do not fit."""
    _of_all_sites(who, "billing.add_household")
    row.full_clean()
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, [row], "added", {}, {name: getattr(row, name) for name in AUDITED})
    return row


def change_household(row: Household, values: Mapping[str, Any], who: Who) -> Household:
    """Its name, address and the like; nothing else of the row is written."""
    _of_all_sites(who, CHANGE)
    check(row, who)
    with transaction.atomic():
        found = Household.objects.select_for_update(of=("self",), no_key=True).get(pk=row.pk)
        changed = {name: new for name, new in values.items() if getattr(found, name) != new}
        if not changed:
            return found
        columns = ["site_id" if name == "site" else name for name in changed]
        before = {name: getattr(found, name) for name in columns if name in AUDITED}
        for name, value in changed.items():
            setattr(found, name, value)
        found.full_clean()
        found.save(update_fields=list(changed))
        after = {name: getattr(found, name) for name in before}
        note(who, [found], f"changed: {', '.join(changed)}", before, after)
    return found


def delete_household(row: Household, who: Who) -> None:
    """With its assignments: sessions that were its are nobody's then."""
    _of_all_sites(who, "billing.delete_household")
    check(row, who)
    with transaction.atomic():
        note(who, [row], "deleted", AUDITED)
        delete_unreferenced(row)


def assign(row: Assignment, who: Who) -> Assignment:
    """What a household charges with, from one day on. Raises `ValidationError` where it is another
    household's on one of these days."""
    _of_all_sites(who, CHANGE)
    check(row.household, who)
    with transaction.atomic():
        _one_at_a_time()
        row.full_clean()
        row.save(force_insert=True)
        note(who, [row.household], f"charges with {row}")
    return row


def change_assignment(row: Assignment, values: Mapping[str, Any], who: Who) -> Assignment:
    """Its days: `first_day`, `last_day`."""
    if unknown := set(values) - {"first_day", "last_day"}:
        raise NotPossible(
            gettext_noop("%(column)s of an assignment can't be changed: make a new one"),
            column=min(unknown),
        )
    _of_all_sites(who, CHANGE)
    check(row.household, who)
    with transaction.atomic():
        _one_at_a_time()
        found = Assignment.objects.select_related("household", "charge_point").get(pk=row.pk)
        before = {name: getattr(found, name) for name in values}
        for name, value in values.items():
            setattr(found, name, value)
        found.full_clean()
        found.save(update_fields=list(values))
        note(who, [found.household], f"charges with {found}", before, dict(values))
    return found


def unassign(row: Assignment, who: Who) -> None:
    """As if it had never been: past sessions as well are nobody's then. To end it, change its last
    day."""
    _of_all_sites(who, CHANGE)
    check(row.household, who)
    with transaction.atomic():
        note(who, [row.household], f"no longer charges with {row}")
        row.delete()


def _one_at_a_time() -> None:
    """Two at once would not see each other, and one thing would be two households'."""
    list(Household.objects.order_by("pk").select_for_update(no_key=True).values_list("pk")[:1])


def _of_all_sites(who: Who, permission: str) -> None:
    if who is not None and not who.has_perm(permission):
        raise NotAllowed(LACKS, permission=permission)
    if who is not None and is_limited(who):
        raise NotAllowed(ALL_SITES)
