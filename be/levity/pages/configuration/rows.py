"""The keys of a charger as its page and its file show them."""

from collections.abc import Iterator
from datetime import tzinfo
from typing import Any

from django.urls import reverse
from django.utils.http import urlencode

from levity.ocpp.chargers.quirks.matching import quirks_of
from levity.ocpp.decisions.configuration import key_note
from levity.ocpp.models import ChargePoint, ConfigurationKey
from levity.ocpp.rules.configuration import KeyInfo
from levity.ocpp.versions import version_of
from levity.pages.chargers.csv_export import cell, utc_cell
from levity.pages.kit.formats import excerpt, shown_time
from levity_ws.frozen import frozen

__all__ = ["PAGE", "Line", "csv_rows", "for_page", "found", "lines_of", "shown_value"]

PAGE = "ocpp_chargepoint_configuration"
NOT_IN_LAST = "not in its last answer with all keys"


@frozen
class Line:
    """One key, with what is known of it."""

    row: ConfigurationKey
    info: KeyInfo | None
    value: str | None
    """In effect, as far as is known."""
    is_pending: bool
    about: str
    """What it means, for people; empty: it is the vendor's own."""
    note: str
    """What this make does with it."""
    is_old: bool
    """The charger has told all of its keys since, and not this one."""

    @property
    def unit(self) -> str:
        """Of its value."""
        return self.info.unit if self.info is not None else ""


def lines_of(charge_point: ChargePoint) -> list[Line]:
    """All of its keys: the standard's in their groups, then the vendor's own."""
    configuration = version_of(charge_point.subprotocol).configuration
    order = {info.key.lower(): number for number, info in enumerate(configuration.keys)}
    profile = quirks_of(charge_point)
    state = getattr(charge_point, "configuration_state", None)
    read_at = state.read_at if state is not None else None
    lines = []
    for row in charge_point.configuration_keys.all():
        info = configuration.about(row.key)
        lines.append(
            Line(
                row,
                info,
                row.value_now(charge_point.booted_at),
                row.is_pending(charge_point.booted_at),
                info.meaning if info is not None else "",
                key_note(profile, row.key),
                read_at is not None and row.read_at is not None and row.read_at < read_at,
            )
        )
    return sorted(lines, key=lambda line: (order.get(line.row.name, len(order)), line.row.name))


def found(lines: list[Line], words: str) -> list[Line]:
    """Those in which all of these words stand."""
    wanted = words.lower().split()
    return [
        line
        for line in lines
        if all(
            word in f"{line.row.name} {line.value or ''} {line.about} {line.note}".lower()
            for word in wanted
        )
    ]


def shown_value(value: str | None, unit: str = "") -> str:
    """The value with its unit; a list breaks between its entries."""
    if value is None:
        return "no value"
    if value == "":
        return "empty"
    if unit and value.strip().isdigit():
        return f"{value} {unit}"
    return value.replace(",", ", ") if "," in value and " " not in value else value


def for_page(
    line: Line, charge_point: ChargePoint, zone: tzinfo | None, *, may: bool
) -> dict[str, Any]:
    """What the table shows of a key."""
    row = line.row
    page = reverse(f"levity:{PAGE}_key", args=[charge_point.pk])
    return {
        "pk": row.pk,
        "key": row.key,
        "group": line.info.group if line.info is not None else "Vendor",
        "about": line.about,
        "note": line.note,
        "value": excerpt(shown_value(line.value, line.unit), 500),
        "is_unknown": row.is_unknown,
        "is_secret": row.is_secret,
        "readonly": row.readonly,
        "odd": row.note,
        "pending": shown_value(row.pending_value, line.unit) if line.is_pending else "",
        "refused": (
            f"{shown_value(row.refused_value, line.unit)}: {row.refused_why}"
            if row.refused_at is not None
            else ""
        ),
        "reboot_required": row.reboot_required and not line.is_pending,
        "read": shown_time(row.read_at, zone) if row.read_at else "never",
        "old": NOT_IN_LAST if line.is_old else "",
        "changed": shown_time(row.changed_at, zone) if row.changed_at else "",
        "changed_by": row.changed_by_name or "at the charger",
        "was": (
            "unknown" if row.previous_value is None else shown_value(row.previous_value, line.unit)
        ),
        "url": f"{page}?{urlencode({'key': row.key})}" if may and not row.is_unknown else "",
    }


def csv_rows(charge_point: ChargePoint) -> Iterator[list[str]]:
    """The header, then a row for each key."""
    yield [
        *("charge point", "key", "value", "unit", "read-only", "unknown to the charger"),
        *("pending value", "reboot required", "read (UTC)", "changed (UTC)", "changed by"),
        *("previous value", "refused value", "refused with", "note", "meaning"),
    ]
    for line in lines_of(charge_point):
        row = line.row
        yield [
            cell(charge_point.identity),
            cell(row.key),
            cell(line.value or ""),
            line.unit,
            "" if row.readonly is None else str(row.readonly).lower(),
            "true" if row.is_unknown else "",
            cell((row.pending_value or "") if line.is_pending else ""),
            "true" if row.reboot_required else "",
            utc_cell(row.read_at),
            utc_cell(row.changed_at),
            cell(row.changed_by_name),
            cell(row.previous_value or ""),
            cell(row.refused_value or ""),
            cell(row.refused_why),
            cell(row.note),
            cell(line.about),
        ]
