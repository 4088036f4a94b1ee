"""Configuration of charge points: their keys, changes, templates, and which differ from them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest, HttpResponse
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, own_key
from levity.api.kit.orders import SOURCE, Order, refusals, waited
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, may, seen
from levity.api.kit.schemas import Page, Paged, Row, Text, Time
from levity.api.problems import Problem
from levity.ocpp.decisions import configuration as decisions
from levity.ocpp.models import (
    ChargePoint,
    Command,
    ConfigurationChange,
    ConfigurationKey,
)
from levity.ocpp.versions import version_of

__all__ = ["known_charge_point", "router"]

router = Router(tags=["configuration"])


class KeyRow(Row):
    """A configuration key as its charge point reported it. Values of secret keys are masked."""

    id: int
    key: str
    value: str | None = Field(description="In effect, as far as is known.")
    unit: str = Field(description="Of the value, if the standard has one for this key.")
    readonly: bool | None = Field(description="null: not reported.")
    unknown: bool = Field(description="The charge point says that it has no such key.")
    secret: bool = Field(description="The value is neither stored nor shown.")
    pending_value: str | None = Field(description="Accepted, in effect after a reboot.")
    reboot_required: bool
    refused_value: str | None
    refused_with: str = Field(description="Its answer to a change that it refused.")
    read_at: Time | None
    changed_at: Time | None
    changed_by: str
    previous_value: str | None
    note: str = Field(description="What was unusual about its answer.")


class KeysAsked(Paged):
    """Filters."""

    key: Text | None = Field(None, max_length=50, description="This key only, in any case.")


class ToRead(Order):
    """Which keys."""

    keys: list[Text] = Field(
        default_factory=list, max_length=100, description="Empty: all that it has."
    )


class ToChange(Order):
    """The new value."""

    value: Text = Field(max_length=500)
    confirm: bool = Field(
        False, description="Needed for keys that may cut the charge point off, or cause trouble."
    )


class CommandRef(Row):
    """A command that was queued; `/commands` and the pages tell how it ends."""

    command: int
    state: str
    answer: str = Field(description="The charger's: a status or an error. Empty: none yet.")


class ChangeRow(Row):
    """A key got another value."""

    id: int
    charge_point: str
    key: str
    old_value: str | None = Field(description="null: not known.")
    new_value: str | None
    how: str = Field(description="The charge point's answer, or that a reading has found it.")
    at: Time
    who: str


class ChangesAsked(Paged):
    """Filters."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")


@router.get("/charge-points/{identity}/configuration", response=Page[KeyRow])
def list_configuration(request: HttpRequest, identity: str, asked: Query[KeysAsked]) -> Any:
    """The keys that are known of a charge point."""
    row = known_charge_point(request, identity)
    rows = seen(request, ConfigurationKey).filter(charge_point=row)
    if asked.key is not None:
        rows = rows.filter(name=asked.key.lower())
    found = page(rows, asked)
    return {**found, "items": [_key(item, row) for item in found["items"]]}


@router.post(
    "/charge-points/{identity}/configuration/read", response={200: CommandRef, 202: CommandRef}
)
def read_configuration(
    request: HttpRequest,
    response: HttpResponse,
    identity: str,
    body: ToRead,
    idempotency_key: Key = None,
) -> Any:
    """Ask the charge point for its keys. 200: it has ended. 202: look at `Location`."""
    row = known_charge_point(request, identity)
    with refusals():
        done = decisions.read_again(
            row,
            principal(request),
            body.keys,
            idempotency_key=own_key(request, SOURCE, idempotency_key),
            expires_after=body.life,
        )
    return _answered(response, done.command, body)


@router.put(
    "/charge-points/{identity}/configuration/keys/{key}",
    response={200: CommandRef, 202: CommandRef},
)
def change_configuration_key(
    request: HttpRequest,
    response: HttpResponse,
    identity: str,
    key: str,
    body: ToChange,
    idempotency_key: Key = None,
) -> Any:
    """Send a new value to the charge point. It is read back afterwards.

    200: the charger has answered (`answer`), or it has ended otherwise. 202: look at `Location`.
    """
    row = known_charge_point(request, identity)
    if "\0" in key:
        raise Problem(422, "The key contains a NUL character.")
    with refusals(), _values_that_do_not_fit():
        done = decisions.change(
            row,
            key,
            body.value,
            principal(request),
            sure=body.confirm,
            idempotency_key=own_key(request, SOURCE, idempotency_key),
            expires_after=body.life,
        )
    return _answered(response, done.command, body)


@router.get("/configuration/changes", response=Page[ChangeRow])
def list_configuration_changes(request: HttpRequest, asked: Query[ChangesAsked]) -> Any:
    """What was changed, the newest first: by commands, or as readings have found."""
    rows = seen(request, ConfigurationChange).select_related("charge_point")
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    found = page(rows, asked, newest_first=True)
    return {**found, "items": [_change(item) for item in found["items"]]}


def known_charge_point(request: HttpRequest, identity: str) -> ChargePoint:
    """The charge point, for who may see its keys."""
    may(request, "ocpp.view_configurationkey")
    return charge_point_at(
        seen(request, ChargePoint).select_related("configuration_state"), identity
    )


@contextmanager
def _values_that_do_not_fit() -> Iterator[None]:
    """As a problem (422): nothing is sent."""
    try:
        yield
    except decisions.NeedsConfirmation as error:
        raise Problem(422, error.sentence, code="not-confirmed") from error
    except decisions.CannotChange as error:
        raise Problem(422, error.sentence, code="not-a-value") from error


def _answered(response: HttpResponse, command: Command, body: Order) -> Any:
    is_over = waited(command, body.wait)
    response["Location"] = f"/api/v1/commands/{command.pk}"
    said = command.result_status or command.error_code or command.confirmed_by
    shown = {"command": command.pk, "state": command.state, "answer": said}
    return Status(200 if is_over else 202, shown)


def _key(row: ConfigurationKey, owner: ChargePoint) -> dict[str, Any]:
    info = version_of(owner.subprotocol).configuration.about(row.key)
    return {
        "id": row.pk,
        "key": row.key,
        "value": row.value_now(owner.booted_at),
        "unit": info.unit if info is not None else "",
        "readonly": row.readonly,
        "unknown": row.is_unknown,
        "secret": row.is_secret,
        "pending_value": row.pending_value if row.is_pending(owner.booted_at) else None,
        "reboot_required": row.reboot_required,
        "refused_value": row.refused_value,
        "refused_with": row.refused_why,
        "read_at": row.read_at,
        "changed_at": row.changed_at,
        "changed_by": row.changed_by_name,
        "previous_value": row.previous_value,
        "note": row.note,
    }


def _change(row: ConfigurationChange) -> dict[str, Any]:
    return {
        "id": row.pk,
        "charge_point": row.charge_point.identity,
        "key": row.key,
        "old_value": row.old_value,
        "new_value": row.new_value,
        "how": row.how,
        "at": row.at,
        "who": row.who_name,
    }
