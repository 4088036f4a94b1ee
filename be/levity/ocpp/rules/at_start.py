"""Is meterStart what the register was at the start? The first samples say it."""

from levity.ocpp.request import TransactionState
from levity.ocpp.rules.bounds import KILO, SELDOM
from levity.ocpp.rules.lives import FASTEST, Life, Trail, most
from levity.ocpp.rules.powered import Work
from levity.ocpp.rules.trail import SECONDS_PER_HOUR

__all__ = ["FALL", "is_another_register", "is_of_start", "is_stale", "rises_evenly"]

# Seconds after the start within which power hardly falls, and by how much it may from there on.
AT_FIRST, FALL = 300, 8
# A register whose last step is within such a part of its pace rises evenly; it may have risen so
# many times as fast before.
EVENLY, FASTER = 5, 2
# W: 32 A of three phases.
MOST_AC = 22_000


def is_of_start(transaction: TransactionState, first: Life) -> bool:
    """True if the first of several values is dated as the start is, by the charger's clock."""
    return first.count > 1 and abs(first.first_at - transaction.started_at.timestamp()) <= 1


def is_another_register(transaction: TransactionState, first: Life) -> bool:
    """True if this value of the very start is another than meterStart: not 0, of a register that
    counts the session, and not meterStart in another unit."""
    start = transaction.register_at_start
    told = first.first - start
    if told >= 0:
        # (meterStart may be whole kWh. A clock that stands still says nothing.)
        slack = max(KILO, first.grain) if start and start % KILO == 0 else first.slack
        return told > slack and (not start or first.last_at > first.first_at + 1)
    is_in_kwh = abs(first.first * KILO - start) <= KILO
    return told < -first.slack and first.first > first.slack and not is_in_kwh


def is_stale(
    transaction: TransactionState,
    first: Life,
    seconds: float,
    trail: Trail,
    max_power: int,
    *,
    is_told: bool,
) -> bool:
    """True if meterStart is of some time before: no power leads from it to the first of several
    samples, by how fast the register rises from then on.

    So many seconds before the first sample. `is_told`: somebody has said how much the connector can
    deliver. 0 is what a meter that was not read yet says: where the register rises evenly from
    there, or its power was told all the time, it rose much as fast before, or as a car takes of AC.
    """
    if first.pace <= 0:
        # (A clock that stands still says nothing.)
        return False
    start = transaction.register_at_start
    fall = FALL
    if not start and (rises_evenly(first) or _is_told(first, trail.work)):
        fall, max_power = FASTER, max_power if is_told else min(max_power, MOST_AC)
    known = max(max_power, trail.power, first.pace * fall)
    if start and (first.jumps or seconds > AT_FIRST):
        # It may deliver DC.
        known = max(known, FASTEST)
    # (Whole kWh may be told at the start.)
    return first.first - start > max(KILO, first.grain) + int(most(seconds, known))


def rises_evenly(life: Life) -> bool:
    """True if the last of several steps was as fast as those before it."""
    seconds = life.last_at - life.before_at
    if life.count < 3 or seconds <= 0 or life.pace <= 0:
        return False
    step = float(life.last - life.before)
    usual = life.pace * seconds / SECONDS_PER_HOUR
    return abs(step - usual) + life.grain <= usual / EVENLY


def _is_told(life: Life, work: Work) -> bool:
    """True if power was told for nearly all of its time, of all phases."""
    if not work.peak or work.is_rough:
        return False
    return work.seconds * SELDOM >= (life.last_at - life.first_at) * (SELDOM - 1)
