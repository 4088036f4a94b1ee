"""MeterValues (OCPP 1.6, 4.7): what the meter shows, in a transaction or outside."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.effects import (
    Effect,
    RecordMeterValues,
    Sample,
    UpdateChargePoint,
    UpdateTransaction,
)
from levity.ocpp.request import (
    Request,
    Response,
    TransactionState,
    with_flags,
    without_flags,
)
from levity.ocpp.rules.booted import BOOTED, may_be_anew
from levity.ocpp.rules.lives import Trail, written
from levity.ocpp.rules.powered import power_of
from levity.ocpp.rules.readings import (
    Reading,
    newest_of,
    newest_register,
    powers,
    registers,
)
from levity.ocpp.rules.sampled import (
    charged,
    grown,
    meter_of,
    trail_of,
    with_odd,
)
from levity.ocpp.rules.unended import closed
from levity.ocpp.v16.actions.after_stop import after_stop
from levity.ocpp.v16.actions.ends import (
    started_twice,
)
from levity.ocpp.v16.actions.samples import read_samples
from levity.ocpp.v16.actions.samples_meant import samples_mean
from levity.ocpp.wire.fields import MAX_CONNECTOR, integer
from levity.ocpp.wire.frames import OcppError

__all__ = ["meter_values"]


def meter_values(request: Request) -> Response:
    """Keep every sample, with the transaction it belongs to, and move that one's figures on.

    Without a usable transactionId they belong to the running transaction of the connector, unless
    they are older than it; after a boot to the one that it interrupted, if they continue it. With
    an id that nobody knows they belong to nobody yet, whoever runs there.
    """
    samples = read_samples(request, "meterValue")
    charge_point = request.charge_point
    connector = _connector(request)
    transaction, effects = samples_mean(connector, samples, request)
    effects.append(RecordMeterValues(connector, transaction.id if transaction else None, samples))
    if transaction is not None:
        twin = started_twice(transaction, charge_point)
        if twin is not None and any(item.sampled_at > twin.started_at for item in samples):
            # It goes on with the first id: the second session was none.
            effects.append(closed(twin, "Other", "started-twice"))
            others = {pk: item for pk, item in charge_point.active.items() if item.id != twin.id}
            request = replace(request, charge_point=replace(charge_point, active=others))
        effects += _progress(transaction, samples, request)
    return Response({}, tuple(effects))


def _connector(request: Request) -> int:
    """The connector that is named; else the one of the session that is named; else 0."""
    try:
        return integer(request.payload, "connectorId", 0, MAX_CONNECTOR)
    except OcppError:
        pass
    transaction = request.transaction
    if transaction is not None and transaction.charge_point_id == request.charge_point.id:
        return transaction.connector or 0
    return 0


def _progress(
    transaction: TransactionState, samples: tuple[Sample, ...], request: Request
) -> Iterable[Effect]:
    """The transaction's new figures; nothing for old news. After its end it is only flagged."""
    if transaction.state == "stopped":
        yield from after_stop(transaction, samples, request)
        return
    known, meter, readings = (
        trail_of(transaction),
        meter_of(request.charge_point),
        registers(samples),
    )
    told = powers(samples)
    strongest, flows = power_of(samples, told)
    trail = grown(transaction, known, readings, request.received_at, meter, strongest, flows)
    yield from _stronger(trail, request)
    found = charged(transaction, trail, meter) if readings else None
    flags = " ".join(with_odd(transaction.flags, found.odd)) if found else transaction.flags
    if found and _is_late(readings, known, trail):
        # It moves nothing, but it may show what kind of register the newest one is.
        if trail != known:
            yield UpdateTransaction(
                transaction.id,
                energy=None if found.wh == transaction.energy else found.wh,
                flags=None if flags == transaction.flags else with_flags(flags, ()),
                lives=written(trail),
            )
        return
    ended = transaction.state == "orphaned"
    goes_on = ended and _goes_on(transaction, samples, request)
    power = newest_of(told, at_inlet=trail.at_inlet or not trail.lives)
    if found is None and power is None and not goes_on and trail is known:
        return
    if goes_on:
        is_doubtful = (
            bool(readings)
            and readings[0].value >= transaction.newest_register
            and may_be_anew(readings[0], meter)
        )
        more = ("continued", BOOTED) if is_doubtful else ("continued",)
        flags = " ".join(with_flags(without_flags(flags, "orphaned"), more))
    last = trail.lives[-1] if found is not None else None
    last_at = datetime.fromtimestamp(last.last_at, UTC) if last is not None else None
    if found is not None and last is not None and ended and not goes_on:
        # Our own end was too early: it moves to the newest sample.
        yield closed(
            replace(
                transaction,
                meter_last=last.last,
                meter_last_at=last_at,
                energy=found.wh,
                flags=flags,
            ),
            transaction.stop_reason,
            "stop-quarantined" if "stop-quarantined" in flags else "orphaned",
        )
    yield UpdateTransaction(
        transaction.id,
        power=None if ended and not goes_on else power,
        reopen_on=transaction.connector if goes_on else None,
        flags=with_flags(flags, ()),
        lives=written(trail) if trail != known else None,
        meter_last=last.last if last is not None else None,
        meter_last_at=last_at,
        energy=found.wh if found is not None else None,
    )


def _is_late(readings: list[Reading], known: Trail, trail: Trail) -> bool:
    """True if all of these are from before the last sample, which is still the last."""
    if not known.lives:
        return False
    last, now = known.lives[-1], trail.lives[-1]
    if (now.last, now.last_at) != (last.last, last.last_at):
        return False
    return all(item.at.timestamp() < last.last_at for item in readings)


def _stronger(trail: Trail, request: Request) -> Iterable[Effect]:
    """What a connector of this charge point can deliver, where that is more than we knew."""
    known = request.charge_point.max_power
    if trail.power > known + known // 20 and trail.power > request.charge_point.learned_power:
        yield UpdateChargePoint({"learned_power": trail.power})


def _goes_on(transaction: TransactionState, samples: tuple[Sample, ...], request: Request) -> bool:
    """True if it was closed by us (at a boot, say), but the charger goes on with it now.

    A backlog from before says nothing of the kind; nor does what comes after a StopTransaction.
    """
    ended = transaction.stopped_at
    if ended is None or "stop-quarantined" in transaction.flags.split():
        return False
    if transaction.place in request.charge_point.active:
        return False
    lag = request.charge_point.lag
    if any(
        sample.sampled_at > ended and not lag.is_backlog(sample.sampled_at, request.received_at)
        for sample in samples
    ):
        return True
    # A clock that stands still says nothing; the register does.
    register = newest_register(samples)
    return (
        register is not None
        and is_unset(register[1], request.received_at)
        and register[0] > transaction.newest_register
    )
