"""Who may charge: the tag of every Authorize, StartTransaction and StopTransaction is looked at."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from levity.ocpp.conf import setting
from levity.ocpp.effects import RecordIdTag, RefuseIdTag, StartTransaction, StopTransaction
from levity.ocpp.request import GetResponse, IdTagState, Request, Response
from levity.ocpp.rules.unknown_start import connector_of
from levity.ocpp.wire.fields import readable, wire_time

__all__ = ["AuthorizeIdTags"]


class AuthorizeIdTags:
    """Answer `idTagInfo` by what we know of the tag and by the rule of the charge point.

    - `anonymous`: every tag is accepted, known or not.
    - `known`: unknown tags, and recorded ones that nobody has approved, are Invalid.
    - `record`: every tag is accepted; unknown ones are noted for approval.

    A tag that a person has blocked, or that is expired, is refused under every rule, and so is one
    whose group is. A limit of the group counts what runs with all of its tags. Replace this class
    in OCPP_MIDDLEWARE to ask somebody else (docs/extending.md).
    """

    actions = frozenset({"Authorize", "StartTransaction", "StopTransaction"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        # The tag with which AutoRemoteStart starts is ours: nobody has to approve it.
        self.own_tag = setting("OCPP_AUTO_REMOTE_START_ID_TAG").lower()

    def __call__(self, request: Request) -> Response:
        """The response of the chain with this verdict on the tag in it."""
        response = self.get_response(request)
        if "idTagInfo" not in response.payload:
            return response
        status = self.status(request)
        effects = response.effects
        if status != "Accepted":
            # 4.8: the transaction is recorded all the same; the charger stops it.
            flag = f"id-tag-{status.lower()}"
            begun = {
                effect.transaction_id for effect in effects if isinstance(effect, StartTransaction)
            }
            # One that is ended in the same breath (its Stop came first) has its flags there.
            effects = tuple(
                replace(effect, flags=(*effect.flags, flag))
                if isinstance(effect, StartTransaction | StopTransaction)
                and effect.transaction_id in begun
                else effect
                for effect in effects
            )
            id_tag = readable(request.payload, "idTag") or ""
            effects = (*effects, RefuseIdTag(id_tag, status, request.id_tag is None))
        elif self._is_new(request):
            effects = (*effects, RecordIdTag(readable(request.payload, "idTag") or ""))
        payload = {**response.payload, "idTagInfo": self.info(request, status)}
        return Response(payload, effects)

    def status(self, request: Request) -> str:
        """The verdict (OCPP 1.6, 7.2 AuthorizationStatus)."""
        tag = request.id_tag
        known_only = request.charge_point.authorization == "known"
        if tag is None:
            return "Invalid" if known_only else "Accepted"
        if "Blocked" in (tag.status, tag.parent_status):
            return "Blocked"
        ends = _ends(tag)
        if ends is not None and ends <= request.received_at:
            return "Expired"
        if known_only and tag.status != "Accepted":
            return "Invalid"
        if tag.charge_points and request.charge_point.id not in tag.charge_points:
            return "Invalid"
        if request.action != "StopTransaction" and self._is_busy(request):
            return "ConcurrentTx"
        return "Accepted"

    def info(self, request: Request, status: str) -> dict[str, Any]:
        """IdTagInfo (OCPP 1.6, 7.27)."""
        info: dict[str, Any] = {"status": status}
        if request.id_tag is not None:
            ends = _ends(request.id_tag)
            if ends is not None:
                info["expiryDate"] = wire_time(ends)
            if request.id_tag.parent:
                # CiString20Type: a longer one would make the whole answer invalid.
                info["parentIdTag"] = request.id_tag.parent[:20]
        return info

    def _is_busy(self, request: Request) -> bool:
        tag = request.id_tag
        if tag is None:
            return False
        own = {request.repeated.id} if request.repeated else set()
        # What runs on this connector ends where another one starts.
        begins = connector_of(request) if request.action == "StartTransaction" else 0
        ending = request.charge_point.active.get((0, begins))
        if ending is not None:
            own.add(ending.id)
        return any(
            most is not None and len(running - own) >= most
            for running, most in (
                (tag.active, tag.max_transactions),
                (tag.parent_active, tag.parent_max_transactions),
            )
        )

    def _is_new(self, request: Request) -> bool:
        id_tag = readable(request.payload, "idTag") or ""
        return (
            request.id_tag is None
            and request.charge_point.authorization == "record"
            and bool(id_tag)
            and id_tag.lower() != self.own_tag
        )


def _ends(tag: IdTagState) -> datetime | None:
    """When it, or its group, expires: whichever comes first."""
    return min(filter(None, (tag.expires_at, tag.parent_expires_at)), default=None)
