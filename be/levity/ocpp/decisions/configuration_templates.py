"""What a person decides about templates: what they say, and for which chargers.

A template changes nothing until somebody assigns it.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from levity.db.rows import upsert_rows
from levity.ocpp.audit import Who, note, person
from levity.ocpp.chargers.quirks.patterns import BadPattern, fits
from levity.ocpp.deciding import Decided, NotAllowed, NotPossible, allowed, check, portions
from levity.ocpp.decisions.wanted_state import Assignments
from levity.ocpp.models import (
    ChargePoint,
    ConfigurationKey,
    ConfigurationState,
    ConfigurationTemplate,
    Site,
    TemplateAssignment,
)
from levity.ocpp.rules.configuration import wrong_with
from levity.ocpp.versions import V16
from levity.ocpp.visibility import is_limited
from levity.ocpp.wire.private import is_secret

__all__ = [
    "CHANGE",
    "BadTemplate",
    "apply_now",
    "assign",
    "delete_template",
    "save_template",
    "unassign",
    "wrong_with_values",
]

CHANGE = "ocpp.change_configurationtemplate"
MOST_KEYS = 100
PATTERNS = ("vendor", "model", "firmware")


class BadTemplate(NotPossible):
    """A template can't say this; the text says why, for people."""


def wrong_with_values(values: Mapping[str, Any]) -> str:
    """Why a template can't have these values, for people; empty if it can."""
    if not values:
        return "a template has at least one key"
    if len(values) > MOST_KEYS:
        return f"a template has at most {MOST_KEYS} keys"
    names: set[str] = set()
    for key, value in values.items():
        info = V16.configuration.about(key)
        if not 0 < len(key.strip()) <= 50 or not isinstance(value, str):
            return f"{key[:60]!r}: a key has 1 to 50 characters, and its value is a text"
        if key.strip().lower() in names:
            return f"{key} is there twice"
        names.add(key.strip().lower())
        if is_secret(key) or (info is not None and info.has_page):
            return f"{key} is a secret or belongs to a single charger: no template has it"
        if info is not None and info.readonly:
            return f"{info.key} can't be changed: the charger only reports it"
        if wrong := wrong_with(info, value, {}):
            return f"{key}: {wrong}"
    return ""


def save_template(
    template: ConfigurationTemplate, who: Who, values: Mapping[str, str]
) -> ConfigurationTemplate:
    """Keep this template, new or changed, with these values; chargers follow within a minute."""
    check_may(who)
    if wrong := wrong_with_values(values):
        raise BadTemplate(wrong)
    for name in PATTERNS:
        try:
            fits(getattr(template, name), "")
        except BadPattern as error:
            raise BadTemplate(f"{name}: {error}") from error
    with transaction.atomic():
        before = None
        if template.pk is not None:
            before = ConfigurationTemplate.objects.select_for_update().get(pk=template.pk)
        template.values = {key.strip(): value for key, value in values.items()}
        template.changed_at = timezone.now()
        template.save()
        what = "changed" if before is not None else "added"
        note(who, [template], what, before.values if before else {}, template.values)
    return template


def delete_template(template: ConfigurationTemplate, who: Who) -> None:
    """Chargers keep the values that they have."""
    check_may(who)
    with transaction.atomic():
        note(who, [template], "deleted", template.values)
        template.delete()


def assign(
    template: ConfigurationTemplate,
    who: Who,
    *,
    charge_point: ChargePoint | None = None,
    site: Site | None = None,
) -> bool:
    """From now on for this charge point, or this site, or (neither) for all that it fits; False if
    it was so already."""
    check_may(who, everywhere=charge_point is None and site is None)
    for row in (charge_point, site):
        if row is not None:
            check(row, who)
    with transaction.atomic():
        found, is_new = TemplateAssignment.objects.get_or_create(
            template=template,
            charge_point=charge_point,
            site=site,
            defaults={"assigned_by": person(who)},
        )
        if is_new:
            note(who, [template], f"assigned to {said_of(found)}")
            if charge_point is not None:
                note(who, [charge_point], f"configuration template {template} assigned")
    return is_new


def unassign(assignment: TemplateAssignment, who: Who) -> None:
    """No longer; chargers keep the values that they have."""
    check_may(who, everywhere=assignment.charge_point is None and assignment.site is None)
    for row in (assignment.charge_point, assignment.site):
        if row is not None:
            check(row, who)
    with transaction.atomic():
        note(who, [assignment.template], f"no longer assigned to {said_of(assignment)}")
        assignment.delete()


def apply_now(
    charge_points: QuerySet[ChargePoint], who: Who, *, now: datetime | None = None
) -> Decided:
    """Try again now, also what was refused, and where Levity gave up."""
    rows = allowed(charge_points, who, CHANGE)
    assignments = Assignments.load()
    at, count = now or timezone.now(), 0
    for keys in portions(rows):
        with transaction.atomic():
            mine = [
                row
                for row in ChargePoint.objects.filter(pk__in=keys).order_by("pk")
                if assignments.wanted(row)
            ]
            ConfigurationKey.objects.filter(charge_point__in=mine).update(
                refused_value=None, refused_why="", refused_at=None
            )
            upsert_rows(
                ConfigurationState,
                (
                    *("charge_point_id", "next_at", "tries_boot", "tries_day", "is_held"),
                    *("gave_up", "step", "since"),
                ),
                [(row.pk, at, 0, 0, False, "", "", None) for row in mine],
                key=("charge_point_id",),
                update=(
                    *("next_at", "tries_boot", "tries_day", "is_held", "gave_up", "step", "since"),
                ),
            )
            note(who, mine, "configuration templates applied")
            count += len(mine)
    return Decided(count)


def said_of(assignment: TemplateAssignment) -> str:
    """For which chargers, for people."""
    row = assignment.charge_point or assignment.site
    return str(row) if row is not None else "all chargers that it fits"


def check_may(who: Who, *, everywhere: bool = True) -> None:
    """Raise `NotAllowed` unless this person may change templates; what is for chargers everywhere
    is not for somebody who sees some sites only."""
    allowed(ConfigurationTemplate.objects.none(), who, CHANGE)
    if everywhere and who is not None and is_limited(who):
        raise NotAllowed("templates are for all sites, and you are limited to some")
