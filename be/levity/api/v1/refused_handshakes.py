"""Who was refused, why, and what to do; and the way in for a charger."""

from typing import Any, Literal

from django.http import HttpRequest
from ninja import Query, Router
from pydantic import Field

from levity.api.kit.auth import principal
from levity.api.kit.pages import page
from levity.api.kit.rows import given, one, seen
from levity.api.kit.schemas import Body, Id, Page, Paged, Row, Text, Time
from levity.ocpp.chargers.security.reasons import reason
from levity.ocpp.decisions.adoption import adopt, is_adoptable
from levity.ocpp.models import RefusedHandshake, SecurityProfile, Site

__all__ = ["router"]

router = Router(tags=["refused handshakes"])


class RefusedHandshakeRow(Row):
    """Each identity, address, path and reason once."""

    id: int
    identity: str = Field(description="As in the URL.")
    address: str
    reason: str
    title: str = Field(description="The reason, for people.")
    what_to_do: str
    is_adoptable: bool = Field(description="It can be let in with `adopt`.")
    status: int = Field(description="HTTP status of the answer.")
    count: int
    first_at: Time
    last_at: Time
    detail: str
    path: str
    user_agent: str
    subprotocols: str
    secure: bool
    edge: str
    key_length: int | None = Field(description="Bytes of the key that it presented.")

    @staticmethod
    def resolve_title(row: Any) -> str:
        """As in the onboarding doctor."""
        return str(reason(row.reason).title)

    @staticmethod
    def resolve_what_to_do(row: Any) -> str:
        """As in the onboarding doctor."""
        return str(reason(row.reason).hint)

    @staticmethod
    def resolve_is_adoptable(row: Any) -> bool:
        """Whether it can be a charger of ours."""
        return is_adoptable(row)


class Chosen(Paged):
    """Which handshakes."""

    identity: Text | None = Field(None, max_length=48)
    reason: Text | None = Field(None, max_length=32)


class Adopt(Body):
    """With what it is let in."""

    profile: SecurityProfile
    key: Literal["presented", "new", "keep", "none"] = Field(
        description="The key that it presented, a new one, the one that is set, or none."
    )
    name: Text = Field("", max_length=100)
    site_id: Id | None = None
    allow_short: bool = False


class AdoptedRow(Row):
    """A charger that will be let in at its next attempt."""

    charge_point: str = Field(description="Its identity.")
    key: str = Field(description="The new key, shown this once; empty: there is no new one.")
    is_new: bool


@router.get("/refused-handshakes", response=Page[RefusedHandshakeRow])
def list_refused_handshakes(request: HttpRequest, asked: Query[Chosen]) -> Any:
    """Refused handshakes, those that were first seen last first."""
    rows = seen(request, RefusedHandshake)
    if asked.identity is not None:
        rows = rows.filter(identity__iexact=asked.identity)
    if asked.reason is not None:
        rows = rows.filter(reason=asked.reason)
    return page(rows, asked, newest_first=True)


@router.get("/refused-handshakes/{handshake_id}", response=RefusedHandshakeRow)
def get_refused_handshake(request: HttpRequest, handshake_id: Id) -> Any:
    """One refused handshake."""
    return one(seen(request, RefusedHandshake), pk=handshake_id)


@router.post("/refused-handshakes/{handshake_id}/adopt", response=AdoptedRow)
def adopt_refused_handshake(request: HttpRequest, handshake_id: Id, body: Adopt) -> Any:
    """Let this charger in."""
    item = one(seen(request, RefusedHandshake), pk=handshake_id)
    made = adopt(
        item,
        body.profile,
        body.key,
        principal(request),
        name=body.name,
        site=given(request, Site, body.site_id, "body.site_id"),
        allow_short=body.allow_short,
    )
    return {
        "charge_point": made.charge_point.identity,
        "key": made.key,
        "is_new": made.is_new,
    }
