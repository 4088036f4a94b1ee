"""CancelReservation (OCPP 1.6, 5.2): a connector is nobody's again."""

from levity.ocpp.effects import Effect, LookAgain, ReservationCancelled, UpdateChargePoint
from levity.ocpp.request import Result
from levity.ocpp.rules.holds import Holds

__all__ = ["cancel_reservation"]


def cancel_reservation(result: Result) -> tuple[Effect, ...]:
    """The reservation is over, also where the charger has none of that number (`Rejected`).

    After an error nobody knows.
    """
    number = result.asked.get("reservationId")
    if type(number) is not int or abs(number) >= 2**63:
        return ()
    is_accepted = result.status == "Accepted"
    said = (result.status or result.error_code)[:64]
    cancelled = ReservationCancelled(number, is_accepted, said)
    held = Holds.of(result.charge_point.holds)
    left = held.unreserved(number)
    if result.status not in ("Accepted", "Rejected") or left is held:
        return (cancelled,)
    return cancelled, UpdateChargePoint({"holds": left.text()}), LookAgain()
