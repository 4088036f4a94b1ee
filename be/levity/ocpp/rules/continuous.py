"""The register of a session that ended, as it would be if it had more digits and no slips."""

from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.lives import ROUNDING, Life, Trail, most, was_a_slip, without_last
from levity.ocpp.rules.readings import Reading
from levity.ocpp.rules.rollover import top_of, unrolled
from levity.ocpp.rules.sampled import Meter, has_booted, lacks_start, trail_of

__all__ = ["continuous", "has_booted_since"]


def continuous(
    transaction: TransactionState, meter_stop: Decimal, stopped_at: datetime, meter: Meter
) -> tuple[Trail, Decimal]:
    """The trail and meterStop as a register with more digits would show them; without a last sample
    that is far off."""
    trail = trail_of(transaction)
    limit = max(meter.max_power, trail.power)
    if meter.by_session or lacks_start(transaction):
        return _without_spike(trail, meter_stop, stopped_at, limit), meter_stop
    booted_at = meter.booted_at.timestamp() if meter.booted_at else 0.0
    last = trail.lives[-1] if trail.lives else None
    trail, higher = unrolled(transaction, trail, limit, booted_at)
    before = last.last if last else transaction.register_at_start
    off = last.off if last else ROUNDING
    begun = transaction.started_at.timestamp()
    if meter_stop < before - off and not (
        has_booted(transaction, meter) if last is None else has_booted_since(last, meter)
    ):
        seconds = stopped_at.timestamp() - (last.last_at if last else begun)
        likely = trail.work.flow * seconds / 3600
        higher += top_of(before, meter_stop, most(seconds, limit), likely)
    stop = meter_stop + higher
    return _without_spike(trail, stop, stopped_at, limit), stop


def _without_spike(trail: Trail, stop: Decimal, stopped_at: datetime, limit: int) -> Trail:
    """The trail without a last sample that is far off, if the stop goes on from that before it."""
    if not trail.lives:
        return trail
    *lives, last = trail.lives
    if was_a_slip(trail.lives, Reading(stopped_at, stop), 0):
        return replace(trail, lives=tuple(lives))
    if last.count < 2 or stop >= last.last - last.off:
        return trail
    could = most(last.last_at - last.before_at, limit) + last.grain
    is_far = float(last.last - last.before) > could
    seconds = stopped_at.timestamp() - last.before_at
    if not is_far or not -last.off <= stop - last.before <= most(seconds, limit) + last.grain:
        return trail
    return replace(trail, lives=(*lives, without_last(last)))


def has_booted_since(last: Life, meter: Meter) -> bool:
    """True if the charger booted after this life's last value came."""
    return meter.booted_at is not None and meter.booted_at.timestamp() > last.seen
