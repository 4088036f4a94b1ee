"""How chargers are to be configured by their templates, how they are, and where that differs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from django.db.models import Q

from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.chargers.quirks.patterns import BadPattern, fits
from levity.ocpp.models import (
    ChargePoint,
    ConfigurationKey,
    ConfigurationTemplate,
    TemplateAssignment,
)
from levity.ocpp.rules.desired import Difference, KeyNow, Wanted, desired, differences
from levity.ocpp.versions import version_of

__all__ = ["Assignments", "differences_of", "keys_now", "template_fits"]


@dataclass(slots=True)
class Assignments:
    """All assignments, and which of them a charger has."""

    of_charge_point: dict[int, list[ConfigurationTemplate]] = field(default_factory=dict)
    of_site: dict[int, list[ConfigurationTemplate]] = field(default_factory=dict)
    of_all: list[ConfigurationTemplate] = field(default_factory=list)

    @classmethod
    def load(cls) -> "Assignments":
        """In one query."""
        found = cls()
        for row in TemplateAssignment.objects.select_related("template").order_by("pk"):
            if row.charge_point_id is not None:
                found.of_charge_point.setdefault(row.charge_point_id, []).append(row.template)
            elif row.site_id is not None:
                found.of_site.setdefault(row.site_id, []).append(row.template)
            else:
                found.of_all.append(row.template)
        return found

    def concerned(self) -> Q:
        """Which charge points may have one."""
        if self.of_all:
            return Q()
        return Q(pk__in=list(self.of_charge_point)) | Q(site__in=list(self.of_site))

    @property
    def is_empty(self) -> bool:
        """Nobody has assigned any."""
        return not (self.of_charge_point or self.of_site or self.of_all)

    def wanted(self, row: ChargePoint) -> dict[str, Wanted]:
        """How this charge point is to be configured, by key in lower case."""
        for_all = [item for item in self.of_all if template_fits(item, row)]
        sites = self.of_site.get(row.site_id or 0, ())
        for_site = [item for item in sites if template_fits(item, row)]
        own = self.of_charge_point.get(row.pk, ())
        return desired(
            [
                *((0, item.name, item.values) for item in for_all),
                *((1, item.name, item.values) for item in for_site),
                *((2, item.name, item.values) for item in own),
            ]
        )


def template_fits(template: ConfigurationTemplate, row: ChargePoint) -> bool:
    """True if its patterns fit this charger; empty ones fit all."""
    said = (row.vendor, row.model, row.firmware_version)
    patterns = (template.vendor, template.model, template.firmware)
    try:
        return all(fits(pattern, text) for pattern, text in zip(patterns, said, strict=True))
    except BadPattern:
        return False


def differences_of(
    row: ChargePoint, wanted: Mapping[str, Wanted], known: Mapping[str, KeyNow]
) -> list[Difference]:
    """The keys of this charge point that are not as its templates say."""
    about = version_of(row.subprotocol).configuration.about
    return differences(wanted, known, about, quirks_of(row).unsafe_keys)


def keys_now(rows: Iterable[ChargePoint]) -> dict[int, dict[str, KeyNow]]:
    """How these charge points are configured, in one query: by key in lower case."""
    booted = {row.pk: row.booted_at for row in rows}
    found: dict[int, dict[str, KeyNow]] = {pk: {} for pk in booted}
    for row in ConfigurationKey.objects.filter(charge_point__in=booted):
        at = booted[row.charge_point_id]
        found[row.charge_point_id][row.name] = KeyNow(
            row.value_now(at),
            is_known=row.read_at is not None or row.changed_at is not None,
            is_unknown=row.is_unknown,
            readonly=row.readonly is True,
            pending=row.pending_value if row.is_pending(at) else None,
            refused=row.refused_value if row.refused_at is not None else None,
            refused_why=row.refused_why,
        )
    return found
