"""Public keys of meters as people enter them: a signature is worth what its key is worth."""

from collections.abc import Mapping
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from levity.ocpp.audit import Who, note
from levity.ocpp.deciding import check
from levity.ocpp.models import MeterKey
from levity.ocpp.rules.signed.keys import CURVES, BadKey, key_of

__all__ = ["add_key", "change_key", "check_key", "delete_key"]

AUDITED = ("charge_point_id", "connector", "key", "since", "until", "note")


def add_key(row: MeterKey, who: Who) -> MeterKey:
    """A new one; raises `ValidationError` for a text that is no public key."""
    check(row.charge_point, who, "ocpp.add_meterkey")
    _check_values(row)
    with transaction.atomic():
        row.save(force_insert=True)
        after = {name: getattr(row, name) for name in AUDITED}
        note(who, [row, row.charge_point], f"meter key added: {row}", {}, after)
    return row


def change_key(row: MeterKey, values: Mapping[str, Any], who: Who) -> MeterKey:
    """How long it is good, mostly; nothing else of the row is written."""
    check(row, who, "ocpp.change_meterkey")
    with transaction.atomic():
        found = MeterKey.objects.select_for_update(no_key=True).get(pk=row.pk)
        changed = {name: new for name, new in values.items() if getattr(found, name) != new}
        if not changed:
            return found
        names = [f"{name}_id" if name == "charge_point" else name for name in changed]
        before = {name: getattr(found, name) for name in names}
        for name, value in changed.items():
            setattr(found, name, value)
        check(found.charge_point, who)
        _check_values(found)
        found.save(update_fields=list(changed))
        after = {name: getattr(found, name) for name in names}
        note(who, [found, found.charge_point], "meter key changed", before, after)
    return found


def delete_key(row: MeterKey, who: Who) -> None:
    """As if it had never been entered. For a meter that was replaced, say until when it was
    there instead."""
    check(row, who, "ocpp.delete_meterkey")
    with transaction.atomic():
        before = {name: getattr(row, name) for name in AUDITED}
        note(who, [row, row.charge_point], "meter key deleted", before, {})
        row.delete()


def _check_values(row: MeterKey) -> None:
    row.full_clean()
    if row.since and row.until and row.until <= row.since:
        raise ValidationError({"until": "This is not after the time from which it is good."})
    try:
        check_key(row.key)
    except ValidationError as error:
        raise ValidationError({"key": error.messages}) from None


def check_key(text: str) -> None:
    """Raises `ValidationError` for a text that is no public key that can be used here."""
    problem: BadKey | None = None
    # A point alone may be of any curve of its length.
    for curve in ("", *CURVES):
        try:
            key_of(text, curve)
        except BadKey as error:
            problem = problem or error
        else:
            return
    raise ValidationError(f"This can't be used as a public key: {problem}.")
