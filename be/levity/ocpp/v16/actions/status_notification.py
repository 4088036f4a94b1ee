"""StatusNotification (OCPP 1.6, 4.9): a connector changed."""

from collections.abc import Iterator
from dataclasses import replace

from levity.ocpp.effects import ConnectorStatus, Effect, UpdateChargePoint, UpdateTransaction
from levity.ocpp.request import Request, Response, with_flags, without_flags
from levity.ocpp.rules.next_car import next_car_at, with_next_car
from levity.ocpp.rules.same_start import is_closed_by_boot
from levity.ocpp.rules.unended import closed
from levity.ocpp.wire.fields import MAX_CONNECTOR, integer, text
from levity.ocpp.wire.words import ERRORS, STATUSES

__all__ = ["status_notification"]

# OCPP 1.6, 7.7: what a connector says of itself while a session goes on.
CHARGING = frozenset({"Charging", "SuspendedEV", "SuspendedEVSE"})


def status_notification(request: Request) -> Response:
    """Remember it. Connector 0 is the charge point as a whole; unknown words are kept as text."""
    payload = request.payload
    shown = ConnectorStatus(
        connector=integer(payload, "connectorId", 0, MAX_CONNECTOR),
        status=STATUSES.meant(text(payload, "status", 64)),
        error_code=ERRORS.meant(text(payload, "errorCode", 64)),
        info=text(payload, "info"),
        vendor_id=text(payload, "vendorId"),
        vendor_error_code=text(payload, "vendorErrorCode"),
        reported_at=request.time("timestamp"),
    )
    ended = (*_clock(shown, request), *_goes_on(shown, request), *_is_over(shown, request))
    return Response({}, (shown, *ended))


def _goes_on(shown: ConnectorStatus, request: Request) -> Iterator[Effect]:
    """The session that a boot closed, if its connector says that it charges.

    Some send BootNotification at each reconnect, or because they were asked to (EN+, ABB, Orbis).
    """
    charge_point = request.charge_point
    transaction = charge_point.interrupted.get(shown.place)
    if transaction is None or shown.status not in CHARGING or not is_closed_by_boot(transaction):
        return
    if next_car_at(transaction.flags) is not None:
        # It charges, but another car.
        return
    if charge_point.lag.is_backlog(shown.reported_at, request.received_at):
        return
    flags = with_flags(without_flags(transaction.flags, "orphaned"), ("continued",))
    yield UpdateTransaction(transaction.id, reopen_on=shown.connector, flags=flags)


def _is_over(shown: ConnectorStatus, request: Request) -> Iterator[Effect]:
    """The session that runs on by our books, or that a boot closed, though its connector was free
    and has a new car.

    Its StopTransaction may be lost, or still to come: that one replaces this end. What comes after
    the new car is that car's, whatever number it says (`rules.next_car`).
    """
    charge_point = request.charge_point
    running = charge_point.active.get(shown.place) or charge_point.interrupted.get(shown.place)
    known = charge_point.connectors.get(shown.place)
    if running is None or known is None or shown.status != "Preparing":
        return
    if shown.reported_at is not None and shown.reported_at < running.started_at:
        # It was kept while the charger was away: the car of this session.
        return
    free_since, began = known.status_since, running.start_received_at
    if known.status != "Available" or not free_since or not began or free_since <= began:
        return
    flags = with_next_car(running, known, shown.reported_at, request.received_at)
    if running.state == "active":
        yield closed(replace(running, flags=" ".join(flags)), "Other")
    elif next_car_at(running.flags) is None and running.state == "orphaned":
        yield UpdateTransaction(running.id, flags=flags)


def _clock(shown: ConnectorStatus, request: Request) -> Iterator[Effect]:
    """What this tells of the charger's clock, if it is news."""
    before = request.charge_point.lag
    known = request.charge_point.connectors.get(shown.place)
    if known is not None and known.status_at == shown.reported_at:
        # The same again, dated as before: it says when the connector changed, not what time it is.
        return
    lag = before.after(shown.reported_at, request.received_at)
    if lag is not before and lag != before:
        values = {"clock_lag": lag.known, "clock_lag_seen": lag.seen}
        yield UpdateChargePoint({name: lag for name, lag in values.items() if lag is not None})
