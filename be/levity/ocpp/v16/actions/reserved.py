"""Which reservation a session that begins was for (OCPP 1.6, 5.13)."""

from levity.ocpp.effects import Effect, ReservationUsed, StartTransaction, UpdateChargePoint
from levity.ocpp.request import Request
from levity.ocpp.rules.holds import Holds

__all__ = ["use_of"]


def use_of(begun: StartTransaction, request: Request) -> tuple[Effect, ...]:
    """That it is used, by the number that the charger names, or else by connector and tag."""
    known, named = request.charge_point.holds, begun.reservation_id or 0
    if not known and named <= 0:
        return ()
    held = Holds.of(known)
    parent = request.id_tag.parent if request.id_tag is not None else ""
    # Of a message that was kept, the charger's time; of any other ours, which is no other's clock.
    is_old = request.charge_point.lag.is_backlog(begun.started_at, request.received_at)
    began = begun.started_at if is_old else request.received_at
    found = held.reservation_used(begun.connector or 0, begun.id_tag, parent, began)
    if found is None or any(item.number == named for item in held.reserved):
        # Some say 0 or -1 for none.
        number = named
    else:
        number = found.number
    if number <= 0:
        return ()
    used = ReservationUsed(number, begun.transaction_id)
    left = held.unreserved(number)
    return (used,) if left is held else (used, UpdateChargePoint({"holds": left.text()}))
