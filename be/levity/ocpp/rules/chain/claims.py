"""What each session claims of its connector's register: the stretches of it that it has moved.

A claim is made of the session's own figures. One whose register counts from its start, or began
anew within it, has stretches that can't be laid beside those of others; so has one of which the
unit is in doubt.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import pairwise

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.books import Own, own_of
from levity.ocpp.rules.energy import BELOW, FAR_STOP, IN_KWH, NEGATIVE, STOP
from levity.ocpp.rules.lives import NO_TRAIL, ROUNDING, SLACK, Life, Trail, without_wild_end
from levity.ocpp.rules.sampled import (
    FELL,
    IMPLAUSIBLE,
    NO_START,
    RESET,
    SAMPLES_IN_KWH,
    SESSION,
    START,
)
from levity.ocpp.rules.trail import read_or_none

__all__ = ["CORRECTED", "DECIDED", "IMPORTED", "Claim", "begins_anew", "claim_of", "in_order"]

CORRECTED = "corrected"
"""The `energy_source` of what a person has decided: nothing changes it but a person."""
IMPORTED = "imported"
"""The `energy_source`, and the flag, of a session that another system recorded."""
DECIDED = frozenset((CORRECTED, IMPORTED))
"""Sources of what nothing automatic changes."""
TOLD_TWICE = "started-twice"
KILO = Decimal(1000)
# The end is no register that counts.
WITHOUT_END = frozenset({NEGATIVE, BELOW, STOP, FAR_STOP, "no-meter-stop", "stop-quarantined"})
# The start is none.
WITHOUT_START = frozenset({NO_START, START})


@dataclass(slots=True)
class Claim:
    """What one session claims; Wh of the register, times in seconds since 1970.

    `low` and `high` move as the chain is settled; everything else is as the session says.
    """

    session: RecordedSession
    own: Own
    trail: Trail
    begun: float
    """By the charger's clock, or ours where that was never set."""
    ended: float | None
    """None: it runs."""
    span_of_ours: tuple[float, float | None]
    """The same by our clock: when its start came, and its end, or its last sample."""
    low: Decimal | None
    """Where it begins on the register that its neighbours go on from. None: nowhere."""
    high: Decimal | None
    """Where it ends on the register on which its successor begins. None: nowhere."""
    has_start: bool = True
    """Its Start told a register that counts."""
    has_end: bool = True
    """Its Stop told a register that counts."""
    is_whole: bool = True
    """`low` and `high` are of one register: the difference is its energy."""
    is_fixed: bool = False
    """A person has decided it."""
    is_none: bool = False
    """It was no session of its own: its start was told twice."""
    by_session: bool = False
    """Its samples count from its start: they show how much, and not where on the register."""
    by_ours: bool = False
    """Its times are ours, and not the charger's."""
    factor: Decimal = Decimal(1)
    """Registers that were told in kWh are multiplied by this."""
    cut: Decimal = Decimal(0)
    """Wh that its neighbours have instead."""
    added: Decimal = Decimal(0)
    """Wh that its neighbours show to be its own."""
    flags: set[str] = field(default_factory=set)
    notes: list[tuple[str, str, str]] = field(default_factory=list)
    """(kind, verdict, detail) of the checks against its neighbours."""

    @property
    def first(self) -> Life | None:
        """The first life of its register, as samples show it."""
        return self.trail.lives[0] if self.trail.lives else None

    @property
    def last(self) -> Life | None:
        """The last life of its register."""
        return self.trail.lives[-1] if self.trail.lives else None

    @property
    def floor(self) -> Decimal | None:
        """Where the register in which it ends began, as far as it is its own: its start, or what
        its samples showed first after the register began anew in it."""
        if self.is_whole:
            return self.low
        return self.last.first if self.last is not None else None

    @property
    def first_at(self) -> float:
        """When its first sample was taken, else its start."""
        first = self.first
        if first is None:
            return self.begun
        return max(self.begun, first.first_seen if self.by_ours else first.first_at)

    @property
    def seen(self) -> float:
        """When it was last known to run: its newest sample, else its start."""
        last = self.last
        if last is None:
            return self.begun
        return max(self.begun, last.seen if self.by_ours else last.last_at)


def claim_of(session: RecordedSession, *, by_ours: bool = False) -> Claim:
    """What this session claims by its own figures; with the charger's times, or `by_ours`."""
    own, flags = own_of(session), set(session.flags.split())
    trail = _trail_of(session)
    claim = Claim(
        session=session,
        own=own,
        trail=trail,
        begun=_begun(session, by_ours=by_ours),
        ended=_ended(session, by_ours=by_ours),
        span_of_ours=(_begun(session, by_ours=True), _ended(session, by_ours=True)),
        low=session.meter_start,
        high=own.meter_stop if session.state != "active" else session.newest_register,
        is_fixed=session.energy_source in DECIDED,
        by_ours=by_ours,
    )
    if claim.is_fixed:
        if claim.low is None or claim.high is None or claim.high < claim.low:
            claim.low = claim.high = None
        return claim
    if TOLD_TWICE in flags:
        # It was none: another one goes on with its car.
        claim.low, claim.high, claim.is_none = None, None, True
        return claim
    claim.has_start = session.meter_start is not None and not flags & WITHOUT_START
    claim.has_end = session.state == "stopped" and own.source == "registers"
    claim.has_end = claim.has_end or (session.state == "stopped" and not flags & WITHOUT_END)
    if session.state == "orphaned":
        claim.trail = without_wild_end(trail)
    if SESSION in flags or own.source == SESSION:
        return _by_session(claim)
    if SAMPLES_IN_KWH in flags and own.source != "registers":
        claim.high = _sum(session.meter_start, own.wh)
        return claim
    if IN_KWH in flags:
        return _in_kwh(claim)
    if not claim.has_start:
        # (Nothing shows where it began, or its first sample does.)
        claim.low = claim.first.first if claim.first is not None else None
    if claim.last is not None and not claim.has_end:
        claim.high = claim.last.last
        if len(trail.lives) == 1 and claim.has_start and own.wh is not None:
            # The samples in its Stop are not among the lives.
            claim.high = max(claim.high, _sum(claim.low, own.wh) or claim.high)
    if session.state != "active" and not claim.has_end and claim.last is None:
        # The samples in its Stop are not among the lives.
        claim.high = _sum(claim.low, own.wh) if claim.has_start else claim.low
    is_anew = RESET in flags or len(trail.lives) > 1 or FELL in flags
    if claim.low is None or claim.high is None:
        claim.low = claim.high = None
    elif is_anew or claim.high < claim.low or IMPLAUSIBLE in flags:
        claim.is_whole = own.wh is not None and own.wh == claim.high - claim.low
    return claim


def _trail_of(session: RecordedSession) -> Trail:
    """What its samples have shown; nothing where its text is damaged: one row must not stop the
    sessions beside it."""
    return read_or_none(session.lives) or NO_TRAIL


def in_order(sessions: Sequence[RecordedSession]) -> list[Claim]:
    """The claims of a connector's sessions in the order in which they began.

    By the charger's clock, for a backlog is told late; but by ours where the register falls less
    often then: a clock may be hours behind, or begin with its firmware's date each time.
    """
    claims = _sorted(sessions, by_ours=False)
    if (falls := _falls(claims)) == 0:
        return claims
    others = _sorted(sessions, by_ours=True)
    return others if _falls(others) < falls else claims


def begins_anew(sessions: Sequence[RecordedSession]) -> bool:
    """True if the register of this connector was lower at a start than at the end before it."""
    return _falls(in_order(sessions)) > 0


def _sorted(sessions: Sequence[RecordedSession], *, by_ours: bool) -> list[Claim]:
    claims = [claim_of(session, by_ours=by_ours) for session in sessions]
    claims.sort(key=lambda item: (item.begun, item.session.id))
    return claims


def _falls(claims: Sequence[Claim]) -> int:
    """How often the register is lower than it was before."""
    laid = [item for item in claims if item.low is not None and item.high is not None]
    return sum(
        after.low is not None and before.high is not None and after.low < before.high - ROUNDING
        for before, after in pairwise(laid)
    )


def _begun(session: RecordedSession, *, by_ours: bool) -> float:
    received = session.start_received_at
    odd = by_ours or "start-clock" in session.flags or is_unset(session.started_at, received)
    return (received if odd and received is not None else session.started_at).timestamp()


def _ended(session: RecordedSession, *, by_ours: bool) -> float | None:
    if session.state == "active":
        return None
    said, received = session.stopped_at, session.stop_received_at
    if said is None:
        said = session.meter_last_at or session.started_at
    if received is not None and session.state == "stopped":
        is_odd = by_ours or "stop-clock" in session.flags or is_unset(said, received)
        said = received if is_odd else said
    elif by_ours and (last := _trail_of(session).lives):
        return max(last[-1].seen, _begun(session, by_ours=True))
    return max(said.timestamp(), _begun(session, by_ours=by_ours))


def _by_session(claim: Claim) -> Claim:
    """Its samples count from its start; where Start, or Start and Stop, are of the meter's total,
    they lie that much higher on it."""
    start, own = claim.low, claim.own
    claim.by_session = True
    if start is None or own.wh is None:
        claim.low = claim.high = None
        return claim
    if own.source != "registers":
        stop = own.meter_stop
        if stop is not None and claim.session.state == "stopped" and abs(stop - own.wh) <= SLACK:
            # Start and Stop count from there as well, whatever it showed at the start.
            start = claim.low = Decimal(0)
        is_told = stop is not None and claim.session.state == "stopped" and stop >= start > 0
        claim.high = stop if is_told else start + own.wh
    if claim.high is None or claim.high < start:
        claim.low = claim.high = None
        return claim
    claim.trail = replace(
        claim.trail, lives=tuple(_higher(life, start) for life in claim.trail.lives)
    )
    return claim


def _higher(life: Life, wh: Decimal) -> Life:
    return replace(life, first=life.first + wh, before=life.before + wh, last=life.last + wh)


def _in_kwh(claim: Claim) -> Claim:
    """Start and Stop in kWh: a thousand times as much, if that is what its energy says."""
    wh, low, high = claim.own.wh, claim.low, claim.high
    if wh is None or low is None or high is None or (high - low) * KILO != wh:
        claim.low = claim.high = None
        return claim
    claim.factor, claim.low, claim.high = KILO, low * KILO, high * KILO
    return claim


def _sum(one: Decimal | None, other: Decimal | None) -> Decimal | None:
    return None if one is None or other is None else one + other
