"""StartTransaction (OCPP 1.6, 4.8): a session begins."""

from decimal import Decimal

from levity.ocpp.actions.v16.id_tag_info import accepted
from levity.ocpp.clocks import clock_flags
from levity.ocpp.effects import Effect, StartTransaction
from levity.ocpp.fields import MAX_CONNECTOR, energy, integer, text
from levity.ocpp.frames import ErrorCode, OcppError
from levity.ocpp.request import Request, Response, TransactionState

__all__ = ["start_transaction"]


def start_transaction(request: Request) -> Response:
    """Open a transaction, or find the one that this charger has started with the same words.

    The same connector, id tag, time and meter value are the same transaction: chargers send a
    StartTransaction again, with a new message id, when they miss the answer.
    """
    payload = request.payload
    connector = integer(payload, "connectorId", 1, MAX_CONNECTOR)
    id_tag = text(payload, "idTag")
    if not id_tag and "idTag" not in payload:
        raise OcppError(ErrorCode.OCCURENCE_CONSTRAINT_VIOLATION, "idTag: missing")
    meter_start = energy(payload, "meterStart")
    answer = {"idTagInfo": accepted()}
    started_at = request.time("timestamp")
    repeated = request.repeated
    if repeated is None and started_at is None:
        repeated = _running_without_time(request, connector, id_tag, meter_start)
    if repeated is not None:
        return Response({"transactionId": repeated.id, **answer})
    assert request.new_id is not None, "the batch reserves an id for every StartTransaction"
    flags = clock_flags(started_at, request.received_at, "start")
    if meter_start < 0:
        flags = (*flags, "negative-meter-start")
    effects: tuple[Effect, ...] = (
        StartTransaction(
            transaction_id=request.new_id,
            connector=connector,
            id_tag=id_tag,
            meter_start=meter_start,
            started_at=started_at or request.received_at,
            reservation_id=_reservation(payload.get("reservationId")),
            flags=flags,
        ),
    )
    return Response({"transactionId": request.new_id, **answer}, effects)


def _running_without_time(
    request: Request, connector: int, id_tag: str, meter_start: Decimal
) -> TransactionState | None:
    """The running one that this is a repetition of, where no time tells them apart."""
    running = request.charge_point.active.get(connector)
    if running is None or (running.id_tag, running.meter_start) != (id_tag, meter_start):
        return None
    return running


def _reservation(value: object) -> int | None:
    return value if type(value) is int and abs(value) < 2**63 else None
