"""Charge points together: set for many, as CSV out and in, and new hardware for old."""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.utils import timezone
from ninja import Query, Router
from pydantic import Field, model_validator

from levity.api.kit.auth import principal
from levity.api.kit.rows import charge_point_at, given, given_charge_points, seen
from levity.api.kit.schemas import BYTES, Body, Id, Row, Text
from levity.api.problems import Problem
from levity.api.v1.charge_points import (
    LARGEST,
    ChargePointRow,
    ChargePoints,
    answer,
    chosen,
)
from levity.ocpp.decisions import charge_points_csv, replacing, together
from levity.ocpp.models import Authorization, ChargePoint, Site
from levity.pages.chargers.csv_export import streamed_csv

__all__ = ["router"]

router = Router(tags=["charge points"])
MOST = 5_000
LARGEST_FILE = 2_000_000
SHOWN = 500
CSV: dict[str, Any] = {
    "responses": {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}
}
UPLOAD: dict[str, Any] = {
    "requestBody": {
        "required": True,
        # As a file: generators of clients know no CSV that is sent.
        "content": BYTES,
    }
}


class ValuesForAll(Body):
    """What is set for all of them; what is left out stays."""

    site_id: Id | None = Field(None, description="Null: none.")
    authorization: Authorization | None = Field(None, description="Null: the rule of the site.")
    time_zone: Text | None = Field(None, max_length=64, description="Null: the site's.")
    quirk_profile: Text | None = Field(
        None, max_length=64, description="Null: chosen by vendor, model and firmware."
    )
    max_power_w: int | None = Field(None, ge=0, le=LARGEST, serialization_alias="max_power")
    heartbeat_interval_s: int | None = Field(
        None, ge=0, le=LARGEST, serialization_alias="heartbeat_interval"
    )
    ping_interval_s: int | None = Field(None, ge=0, le=LARGEST, serialization_alias="ping_interval")
    call_timeout_s: int | None = Field(None, ge=0, le=LARGEST, serialization_alias="call_timeout")


class ChangeOfMany(Body):
    """Which charge points, and what is set for them: these, or all of a site that are in use."""

    charge_points: list[Text] | None = Field(
        None, min_length=1, max_length=MOST, description="Their identities."
    )
    site_id: Id | None = None
    change: ValuesForAll

    @model_validator(mode="after")
    def _one_of_both(self) -> "ChangeOfMany":
        if (self.charge_points is None) == (self.site_id is None):
            raise ValueError("name either charge_points or a site_id")
        return self


class Changed(Row):
    """How many were changed."""

    changed: int
    same: int = Field(description="They had these values already.")


class Place(Body):
    """Which charger takes the place."""

    identity: Text = Field(
        min_length=1,
        max_length=48,
        description="Of the new hardware, whether it has connected or not. The same identity is "
        "possible: the old charge point is renamed.",
    )


class ReplacedRow(Row):
    """The two after it."""

    old: ChargePointRow
    new: ChargePointRow
    reservations: int = Field(description="So many are asked for at the new one.")
    charging_profiles: int = Field(description="So many are sent to the new one.")
    left: list[str] = Field(description="What could not be moved, and why.")


class ImportedLine(Row):
    """What a line of the file does."""

    line: int = Field(alias="number")
    identity: str
    is_new: bool
    changes: str = Field(alias="text", description="Such as `site: none → Garage`.")

    @staticmethod
    def resolve_identity(row: Any) -> str:
        """Of its charge point."""
        return str(row.row.identity)


class ImportedRow(Row):
    """What a file would do, or has done."""

    done: bool = Field(description="False: nothing was written.")
    new: int
    changed: int
    same: int = Field(description="Lines that change nothing.")
    problems: list[str] = Field(description=f"Wrong lines; the first {SHOWN}.")
    notes: list[str]
    lines: list[ImportedLine] = Field(description=f"What changes; the first {SHOWN}.")


class Import(Row):
    """How the file is taken."""

    dry_run: bool = Field(False, description="Only say what it would do.")


@router.post("/charge-point-changes", response=Changed)
def change_many_charge_points(request: HttpRequest, body: ChangeOfMany) -> Any:
    """Set the same for many charge points, or for none of them. Nothing is sent to them."""
    values = body.change.values()
    if "site_id" in values:
        values["site"] = given(request, Site, values.pop("site_id"), "body.change.site_id")
    for name in ("authorization", "time_zone", "quirk_profile"):
        if name in values:
            values[name] = values[name] or ""
    rows = seen(request, ChargePoint)
    if body.site_id is not None:
        given(request, Site, body.site_id, "body.site_id")
        rows = rows.filter(site=body.site_id, retired_at=None)
    else:
        found = given_charge_points(request, body.charge_points or (), "body.charge_points")
        rows = ChargePoint.objects.filter(pk__in=[row.pk for row in found])
    decided = together.change_all(rows, values, principal(request))
    return {"changed": decided.count, "same": sum(left.count for left in decided.left)}


@router.get("/charge-points.csv", openapi_extra=CSV)
def export_charge_points(request: HttpRequest, asked: Query[ChargePoints]) -> HttpResponseBase:
    """The charge points as CSV, as `POST` reads them; `limit` and `cursor` have no effect."""
    rows = chosen(request, asked).order_by("pk")
    return streamed_csv(charge_points_csv.export_lines(rows), "charge-points")


@router.post("/charge-points.csv", response=ImportedRow, openapi_extra=UPLOAD)
def import_charge_points(request: HttpRequest, asked: Query[Import]) -> Any:
    """Add and change charge points by CSV: all lines, or none if one is wrong (`done` is false).

    The first line names the columns; a column that is not there stays as it is, an empty cell
    empties the field. With `dry_run`, only look.
    """
    data = request.read(LARGEST_FILE + 1)
    if len(data) > LARGEST_FILE:
        raise Problem(413, "The file is larger than 2 MB: split it.")
    try:
        text, note = charge_points_csv.text_of(data)
        take = (
            charge_points_csv.read_charge_points
            if asked.dry_run
            else charge_points_csv.import_charge_points
        )
        read = take(text, principal(request))
    except charge_points_csv.BadFile as error:
        raise Problem(422, f"{str(error)[:1].upper()}{str(error)[1:]}.", code="bad-file") from error
    return {
        "done": read.done,
        "new": read.new,
        "changed": read.changed,
        "same": read.same,
        "problems": read.problems[:SHOWN],
        "notes": [note] if note else [],
        "lines": read.lines[:SHOWN],
    }


@router.post("/charge-points/{identity}/replace", response=ReplacedRow)
def replace_charge_point(request: HttpRequest, identity: Text, body: Place) -> Any:
    """New hardware takes over name, site, rules, id tags, local list and households of this charge
    point, and is sent its reservations and charging profiles when it connects within 7 days. The
    old one is retired; its sessions and its log stay with it. Not while it is connected."""
    row = charge_point_at(seen(request, ChargePoint), identity)
    done = replacing.replace(row, body.identity, principal(request), timezone.now())
    return {
        "old": answer(request, done.old),
        "new": answer(request, done.new),
        "reservations": done.taken.reservations,
        "charging_profiles": done.taken.profiles,
        "left": list(done.taken.left),
    }
