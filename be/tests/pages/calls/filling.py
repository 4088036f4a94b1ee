"""What a browser sends when a form of a command is filled in with this payload."""

from typing import Any

from levity.ocpp.call_forms import CallForm, Field, Kind
from levity.ocpp.models import ChargePoint
from levity.pages.calls.examples import example
from levity.pages.calls.facts import Facts
from levity.pages.calls.kinds import KINDS
from levity.pages.calls.places import at
from levity.pages.calls.typed import input_name

__all__ = ["data_of", "filled"]

ANY = {
    "call": "UpdateFirmware",
    "text": '{"location":"https://example.com/fw.bin","retrieveDate":"2026-01-01T00:00:00Z"}',
}


def filled(slug: str, charge_point: ChargePoint | None = None) -> dict[str, str]:
    """Its example; a session is the newest that runs there."""
    described = KINDS[slug].described
    if described is None:
        return dict(ANY)
    facts = Facts(charge_point)
    return data_of(described, example(described, facts), facts)


def data_of(described: CallForm, payload: Any, facts: Facts) -> dict[str, str]:
    """The inputs, by their names."""
    data: dict[str, str] = {}
    for item in described.fields:
        value = at(payload, item.at)
        name = input_name(item)
        if item.kind == Kind.SESSION and item.required:
            data[name] = str(facts.sessions[0][0]) if facts.sessions else ""
        elif item.kind == Kind.ROWS:
            for number, row in enumerate(value or []):
                for each in item.fields:
                    place = f"{name}-{number}-{each.at.replace('.', '-')}"
                    data[place] = text_of(each, at(row, each.at))
        elif value is not None:
            data[name] = text_of(item, value)
    return data


def text_of(item: Field, value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return "" if value is None else str(value)
