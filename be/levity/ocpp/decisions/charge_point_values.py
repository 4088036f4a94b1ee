"""What may stand in the fields of a charge point and a site that people write.

Each function takes what was entered and returns what is stored, or raises Django's
`ValidationError`: the forms of the pages and the API ask the same.
"""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.db.models import Q

from levity.ocpp.chargers.quirks.matching import all_profiles, profile_for
from levity.ocpp.chargers.quirks.profile import BadQuirk, QuirkProfile, overridden
from levity.ocpp.models import ChargePoint
from levity_ws.edge.target import LONGEST, SIGNS, is_identity

__all__ = [
    "certificate_name",
    "checked",
    "fitting_profile",
    "identity",
    "quirk_overrides",
    "time_zone",
]


def identity(text: str) -> str:
    """The identity as it stands in the charger's URL, decoded."""
    # What the edge takes for one (OCPP-J 1.6, 3.1.1, and what chargers really send).
    if not is_identity(text):
        raise ValidationError(
            f"Letters, digits, spaces inside and {' '.join(SIGNS)} only, at most {LONGEST} "
            "characters."
        )
    return text


def time_zone(text: str) -> str:
    """The name of a time zone, or nothing."""
    name = text.strip()
    if name:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            # ZoneInfoNotFoundError is a KeyError; the others: odd paths, the name of a folder.
            raise ValidationError(
                f"“{name}” is not a time zone; enter one such as Europe/Berlin."
            ) from None
    return name


def certificate_name(text: str, row: ChargePoint) -> str:
    """The common name of its certificate; never the name of another charge point."""
    name = text.strip()
    others = ChargePoint.objects.exclude(pk=row.pk)
    taken = Q(identity__iexact=name) | Q(certificate_name__iexact=name)
    if name and others.filter(taken).exists():
        raise ValidationError(
            "Another charge point has this name: its certificate would be valid for both."
        )
    return name


def quirk_overrides(given: Mapping[str, Any] | None, row: ChargePoint) -> dict[str, Any]:
    """Fields of the quirk profile with other values; an empty field is none."""
    overrides = given or {}
    try:
        overridden(fitting_profile(row), overrides)
    except BadQuirk as error:
        raise ValidationError(str(error)) from None
    return dict(overrides)


def fitting_profile(row: ChargePoint) -> QuirkProfile:
    """The one for its vendor, model and firmware."""
    return profile_for(row.vendor, row.model, row.firmware_version)


def checked(values: Mapping[str, Any], row: ChargePoint) -> dict[str, Any]:
    """All these fields as they are stored; raises one `ValidationError` that names each wrong
    one."""
    rules: dict[str, Any] = {
        "identity": identity,
        "time_zone": time_zone,
        "certificate_name": lambda value: certificate_name(value, row),
        "quirk_overrides": lambda value: quirk_overrides(value, row),
        "quirk_profile": lambda value: _quirk_profile(value, row),
    }
    found, wrong = {}, {}
    for name, value in values.items():
        try:
            found[name] = rules[name](value) if name in rules else value
        except ValidationError as error:
            wrong[name] = error.messages
    if wrong:
        raise ValidationError(wrong)
    return found


def _quirk_profile(name: str, row: ChargePoint) -> str:
    # That of an extension that is gone may stay.
    stays = row.pk is not None and name == row.quirk_profile
    if name and not stays and name not in {item.name for item in all_profiles()}:
        raise ValidationError(f"There is no quirk profile “{name}”.")
    return name
