"""From which value of its connector's register to which a session lies, with its neighbours."""

from datetime import UTC, datetime
from decimal import Decimal

from levity.ocpp.request import RecordedSession
from levity.ocpp.rules.chain.claims import DECIDED, Claim, claim_of
from levity.ocpp.rules.chain.unassigned import Interval
from levity.ocpp.rules.chain.words import CUT, ENDS_AT_NEXT, STARTS_AT_LAST, TWICE
from levity.ocpp.rules.sampled import FELL, RESET, SESSION

__all__ = ["interval_of"]


def interval_of(session: RecordedSession) -> Interval:
    """What this session has of its connector's register: what it claims, as it is settled.

    An end that its figures leave in doubt is not known: nothing is held against it.
    """
    claim, flags = claim_of(session), set(session.flags.split())
    since = datetime.fromtimestamp(claim.begun, UTC)
    until = None if claim.ended is None else datetime.fromtimestamp(claim.ended, UTC)
    source = session.energy_source
    if source == SESSION or (SESSION in flags and source not in ("registers", *DECIDED)):
        # It counts each session from its start: that says nothing of the meter's total.
        return Interval(session.id, since, until, None, None, by_session=True)
    first, last = _settled(claim, flags)
    anew = RESET in flags or FELL in flags
    return Interval(session.id, since, until, first, last, anew=anew and not claim.is_fixed)


def _settled(claim: Claim, flags: set[str]) -> tuple[Decimal | None, Decimal | None]:
    """Where it begins and ends with its neighbours: they may have some of what it told."""
    first, last, wh = claim.low, claim.high, claim.session.energy
    if wh is None or claim.is_fixed:
        return first, last
    if TWICE in flags:
        return first, first
    if first is not None and flags & {CUT, ENDS_AT_NEXT}:
        return first, first + wh
    if last is not None and STARTS_AT_LAST in flags:
        return last - wh, last
    return first, last
