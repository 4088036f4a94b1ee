"""The figures of a session that ended, held against the power that was told in it.

Registers are exact and power is not, so power never is the figure. But where it contradicts one,
and agrees with another, that one counts: the samples where Start or Stop is wrong, a thousand times
as much where kWh were told as Wh. What the samples leave out is estimated from the power.
"""

from decimal import Decimal

from levity.ocpp.rules.booted import BOOTED
from levity.ocpp.rules.bounds import KILO, Bounds
from levity.ocpp.rules.figures import LOW, MEDIUM, REGISTERS, SAMPLES, Energy
from levity.ocpp.rules.lasted import DURATION
from levity.ocpp.rules.lives import Life, Trail
from levity.ocpp.rules.sampled import (
    FELL,
    IMPLAUSIBLE,
    IN_KWH,
    POWER,
    SESSION,
    START,
    ZERO,
    Charged,
)
from levity.ocpp.rules.units import MAY_BE_KWH
from levity_ws.frozen import frozen

__all__ = [
    "ABOVE_AC",
    "BELOW",
    "FAR_STOP",
    "NEGATIVE",
    "OF_THE_STOP",
    "STOP",
    "Ends",
    "by_power",
]

STOP = "stop-contradicted"
BELOW = "below-samples"
ABOVE_AC = "above-ac"
FAR_STOP = "stop-far-off"
NEGATIVE = "negative-energy"
# What is found anew with each stop.
OF_THE_STOP = (STOP, BELOW, ABOVE_AC, FAR_STOP, NEGATIVE, MAY_BE_KWH, BOOTED, DURATION)
# What is said of ends that count no more, or that power has decided.
DECIDED = frozenset({BELOW, NEGATIVE, IMPLAUSIBLE, ABOVE_AC, FAR_STOP, FELL})


@frozen
class Ends:
    """What StartTransaction and StopTransaction said; times in seconds since 1970."""

    start: Decimal | None
    """Wh; None where the charger told none."""
    stop: Decimal | None
    """Wh; None where there was no StopTransaction."""
    begun: float
    ended: float

    @property
    def difference(self) -> Decimal | None:
        """Wh between the two."""
        if self.start is None or self.stop is None:
            return None
        return self.stop - self.start

    @property
    def seconds(self) -> float:
        """Between the two."""
        return self.ended - self.begun


def by_power(
    found: Energy, ends: Ends, trail: Trail, sampled: Charged | None, bounds: Bounds
) -> Energy:
    """What the session comes to by registers, samples and power; `sampled` are the samples alone,
    without the stop."""
    is_of_all = bool(trail.lives) and bounds.are_of(
        trail.lives[-1].last_at - trail.lives[0].first_at
    )
    by_samples = _by_samples(found, ends, trail, sampled, bounds) if is_of_all else None
    if by_samples is not None:
        return by_samples
    is_wild = is_of_all and sampled is not None and not bounds.cover(sampled.wh - sampled.lead)
    is_doubted = found.source == SAMPLES and is_wild
    off = bounds.grain if found.source == SAMPLES else 0
    if bounds.allow(found.wh, off) and not is_doubted:
        return found
    difference = ends.difference
    if bounds.speaks and difference is not None and difference >= 0 and bounds.allow(difference):
        # Start and Stop agree with the power, and no sample does.
        return Energy(difference, REGISTERS, MEDIUM, (*_kept(found), POWER))
    thousandfold = _thousandfold(found, ends, trail, sampled, bounds)
    if thousandfold is not None or not bounds.speaks:
        # (What one phase delivers is a part of what flows, and far more than a thousandth.)
        return thousandfold or found
    if IMPLAUSIBLE in found.flags:
        return found
    confidence = LOW if bounds.is_far(found.wh) or found.confidence == LOW else MEDIUM
    return Energy(found.wh, found.source, confidence, (*found.flags, POWER))


def _kept(found: Energy) -> tuple[str, ...]:
    return tuple(flag for flag in found.flags if flag not in DECIDED)


def _thousandfold(
    found: Energy, ends: Ends, trail: Trail, sampled: Charged | None, bounds: Bounds
) -> Energy | None:
    """A thousand times what the registers say, where the power proves that they are in kWh."""
    difference = ends.difference
    if difference is not None and bounds.is_thousandth(difference):
        return Energy(difference * KILO, REGISTERS, MEDIUM, (*_kept(found), IN_KWH))
    if sampled is None:
        return None
    odd = tuple(dict.fromkeys((*sampled.odd, *found.flags, IN_KWH)))
    if sampled.wh > bounds.grain and bounds.is_thousandth(sampled.wh):
        return Energy(sampled.wh * KILO, SAMPLES, LOW, odd)
    rise = sampled.wh - sampled.lead
    if sampled.count <= 2 or rise <= bounds.grain or not bounds.is_thousandth(rise):
        return None
    # Start and Stop may be whole kWh, which says little of what flowed beside the samples.
    first, last = trail.lives[0], trail.lives[-1]
    wh = rise * KILO + _part(sampled.lead, first.first_at - ends.begun, bounds)
    if ends.stop is not None:
        wh += _part(ends.stop - last.last, ends.ended - last.last_at, bounds)
    return Energy(wh, SAMPLES, LOW, odd)


def _part(kwh: Decimal, seconds: float, bounds: Bounds) -> Decimal:
    """Wh of an end that may be rounded to kWh: no more than can have flowed in this time."""
    could = int(max(seconds, 0) / 3600 * bounds.told)
    return min(max(kwh * KILO, ZERO), Decimal(could))


def _by_samples(
    found: Energy, ends: Ends, trail: Trail, sampled: Charged | None, bounds: Bounds
) -> Energy | None:
    """What several samples rise by that agree with the power, and the end that does so too. None
    where they don't, or where both ends do."""
    if sampled is None or sampled.count <= 2 or SESSION in sampled.odd or ends.stop is None:
        return None
    rise = sampled.wh - sampled.lead
    if not bounds.cover(rise):
        return None
    first, last = trail.lives[0], trail.lives[-1]
    flags = [flag for flag in (*sampled.odd, *found.flags) if flag not in DECIDED]
    lead, tail = sampled.lead, ends.stop - last.last
    has_start = ends.start is not None and START not in sampled.odd and lead >= -first.off
    has_start = has_start and bounds.leads_to(lead, first.first_at - ends.begun)
    has_stop = tail >= -last.off and bounds.leads_from(tail, ends.ended - last.last_at)
    if not has_start and ends.start is not None:
        flags.append(START)
    if not has_stop:
        flags.append(STOP)
    wh = (
        rise + (_end(lead, first) if has_start else ZERO) + (_end(tail, last) if has_stop else ZERO)
    )
    if (has_start and has_stop) or not bounds.allow(wh, bounds.grain):
        return None
    return Energy(wh, SAMPLES, LOW, tuple(dict.fromkeys(flags)))


def _end(wh: Decimal, life: Life) -> Decimal:
    """Wh between an end and the sample next to it, which may lie above it if it has few digits."""
    return wh if life.grain else max(wh, ZERO)
