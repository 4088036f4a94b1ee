"""Sites as people enter them: added, changed, deleted."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import NotAllowed, check, delete_unreferenced
from levity.ocpp.decisions.charge_point_values import time_zone
from levity.ocpp.models import Site
from levity.ocpp.visibility import is_limited

__all__ = ["FIELDS", "add_site", "change_site", "delete_site"]

FIELDS = ("name", "time_zone", "authorization", "security_profile", "bill_signed", "notes")
# What the audit says of it: notes may be long.
AUDITED = FIELDS[:-1]


def add_site(row: Site, who: Who) -> Site:
    """A new one; raises `ValidationError` for values that do not fit."""
    if who is not None and (is_limited(who) or not who.has_perm("ocpp.add_site")):
        raise NotAllowed("only a user of all sites who may add sites can do that")
    _check_values(row)
    with transaction.atomic():
        row.save(force_insert=True)
        note(who, [row], "added", {}, {name: getattr(row, name) for name in AUDITED})
    return row


def change_site(row: Site, values: Mapping[str, Any], who: Who) -> Site:
    """Its name and rules; nothing else of the row is written."""
    check(row, who, "ocpp.change_site")
    with transaction.atomic():
        found = Site.objects.select_for_update(no_key=True).get(pk=row.pk)
        changed = {name: new for name, new in values.items() if getattr(found, name) != new}
        if not changed:
            return found
        before = {name: getattr(found, name) for name in changed if name in AUDITED}
        for name, value in changed.items():
            setattr(found, name, value)
        _check_values(found)
        found.save(update_fields=list(changed))
        after = {name: getattr(found, name) for name in before}
        note(who, [found], f"changed: {', '.join(changed)}", before, after)
    return found


def delete_site(row: Site, who: Who) -> None:
    """Its charge points stay, without a site."""
    check(row, who, "ocpp.delete_site")
    with transaction.atomic():
        note(who, [row], "deleted", AUDITED)
        delete_unreferenced(row)


def _check_values(row: Site) -> None:
    try:
        row.time_zone = time_zone(row.time_zone)
    except ValidationError as error:
        raise ValidationError({"time_zone": error.messages}) from None
    row.full_clean()
