"""How a charge point proves who it is: its security profile and its key; and security events."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router, Status
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.idempotency import Key, once
from levity.api.kit.pages import page
from levity.api.kit.rows import charge_point_at, seen
from levity.api.kit.schemas import Body, Page, Paged, Row, Text, Time, TimeGiven
from levity.api.problems import Problem
from levity.api.v1.charge_points import ChargePointRow, answer
from levity.ocpp.decisions import keys
from levity.ocpp.decisions.security_profiles import raise_profile, set_profile
from levity.ocpp.models import ChargePoint, SecurityEvent, SecurityProfile

__all__ = ["router"]

router = Router(tags=["security"])


class ProfileGiven(Body):
    """A security profile."""

    profile: SecurityProfile
    lower: bool = Field(False, description="Confirms that a lower profile is meant.")


class ProfileAsked(Body):
    """A higher security profile."""

    profile: SecurityProfile


class KeyGiven(Body):
    """The key that the charger has already."""

    key: Text = Field(max_length=200, description="As text, or as hexadecimal digits.")
    allow_short: bool = Field(False, description="For chargers that support no longer key.")


class KeyShown(Row):
    """A new key."""

    key: str = Field(description="Shown this once; only a digest of it is stored.")


class SecurityEventRow(Row):
    """Something that may be an attack."""

    id: int
    charge_point: str | None
    type: str
    detail: str
    at: Time = Field(description="By the charger's clock, or ours.")
    received_at: Time

    @staticmethod
    def resolve_charge_point(row: Any) -> str | None:
        """The identity of its charge point."""
        return row.charge_point.identity if row.charge_point else None


class SecurityEvents(Paged):
    """Which security events."""

    charge_point: Text | None = Field(None, max_length=48, description="Its identity.")
    type: Text | None = Field(None, max_length=64)
    since: TimeGiven | None = Field(None, description="Received then, or later.")
    until: TimeGiven | None = Field(None, description="Received before then.")


def _charge_point(request: HttpRequest, identity: str) -> ChargePoint:
    return charge_point_at(seen(request, ChargePoint), identity)


def _shown_once(
    request: HttpRequest,
    identity: str,
    idempotency_key: str | None,
    make: Callable[[ChargePoint, Any], str],
) -> dict[str, str]:
    """The key that `make` makes; 409 for a repeated request, for no key is shown twice."""
    row = _charge_point(request, identity)
    made: list[str] = []

    def once_only() -> ChargePoint:
        made.append(make(row, principal(request)))
        return row

    once(request, idempotency_key, None, ChargePoint, once_only)
    if not made:
        raise Problem(
            409,
            "This was done already. Its key was shown once and is not kept: if its answer was "
            "lost, ask for another one with a new idempotency key.",
            code="shown-once",
        )
    return {"key": made[0]}


@router.put("/charge-points/{identity}/security-profile", response=ChargePointRow)
def set_security_profile(request: HttpRequest, identity: Text, body: ProfileGiven) -> Any:
    """What it must connect with from its next connection on."""
    row = _charge_point(request, identity)
    set_profile(row, body.profile, principal(request), lower=body.lower)
    return answer(request, row)


@router.post("/charge-points/{identity}/security-profile/raise", response=ChargePointRow)
def raise_security_profile(
    request: HttpRequest, identity: Text, body: ProfileAsked, idempotency_key: Key = None
) -> Any:
    """Tell the charger over OCPP to connect with a higher profile; it counts when it first does."""
    row = _charge_point(request, identity)

    def ask() -> ChargePoint:
        raise_profile(row, body.profile, principal(request))
        return row

    return answer(request, once(request, idempotency_key, body, ChargePoint, ask))


@router.post("/charge-points/{identity}/key", response=KeyShown)
def generate_key(request: HttpRequest, identity: Text, idempotency_key: Key = None) -> Any:
    """Generate a key. Enter it in the charger: from now on it is the only one."""
    return _shown_once(request, identity, idempotency_key, keys.new_key)


@router.put("/charge-points/{identity}/key", response={204: None})
def set_key(request: HttpRequest, identity: Text, body: KeyGiven) -> Any:
    """Set the key that the charger has already."""
    row = _charge_point(request, identity)
    keys.set_key(row, body.key, principal(request), allow_short=body.allow_short)
    return Status(204, None)


@router.delete("/charge-points/{identity}/key", response={204: None})
def remove_key(request: HttpRequest, identity: Text) -> Any:
    """Remove the key; not while its security profile needs one."""
    keys.remove_key(_charge_point(request, identity), principal(request))
    return Status(204, None)


@router.post("/charge-points/{identity}/key/rotate", response=KeyShown)
def rotate_key(request: HttpRequest, identity: Text, idempotency_key: Key = None) -> Any:
    """Generate a key and send it to the charger. The old one works until the charger has accepted
    the new one."""
    return _shown_once(request, identity, idempotency_key, keys.rotate_key)


@router.post("/charge-points/{identity}/key/unlock", response={204: None})
def unlock_charge_point(request: HttpRequest, identity: Text) -> Any:
    """Forget the wrong keys that were tried for it."""
    keys.unlock(_charge_point(request, identity), principal(request))
    return Status(204, None)


@router.get("/security-events", response=Page[SecurityEventRow])
def list_security_events(request: HttpRequest, asked: Query[SecurityEvents]) -> Any:
    """Security events, the newest first."""
    rows = seen(request, SecurityEvent).select_related("charge_point")
    if asked.charge_point is not None:
        rows = rows.filter(charge_point__identity__iexact=asked.charge_point)
    if asked.type is not None:
        rows = rows.filter(type=asked.type)
    if asked.since is not None:
        rows = rows.filter(received_at__gte=asked.since)
    if asked.until is not None:
        rows = rows.filter(received_at__lt=asked.until)
    return page(rows, asked, newest_first=True)
