"""What a message changes on the chain: its effects, settled with the sessions that lie near.

Whoever begins or ends a session, or moves the figures of one that has ended, passes its effects
through here before they are written.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from levity.ocpp.effects import (
    AdjustTransaction,
    Effect,
    StartTransaction,
    StopTransaction,
    UpdateTransaction,
)
from levity.ocpp.request import Place, RecordedSession, TransactionState
from levity.ocpp.rules.chain.books import Own, checks_of, own_of, written
from levity.ocpp.rules.chain.near import near
from levity.ocpp.rules.chain.plain import Figures, Glance, goes_without_saying
from levity.ocpp.rules.chain.settle import Settled, settle
from levity.ocpp.rules.chain.words import OF_THE_CHAIN

__all__ = ["needs_no_settling", "settled"]

OF_SESSIONS = (AdjustTransaction, StartTransaction, StopTransaction, UpdateTransaction)


def needs_no_settling(
    effects: Iterable[Effect],
    running: TransactionState | None,
    others: Iterable[Glance],
    max_power: int,
) -> bool:
    """True if these effects change one session only, which goes on from its neighbours as nearly
    all do: `settled` would leave them as they are.

    `running` is the session that the message names; `others` are those beside the one that begins
    or ends, on its connector.
    """
    changed = [effect for effect in effects if isinstance(effect, OF_SESSIONS)]
    if len(changed) != 1:
        return not changed
    [effect] = changed
    match effect:
        case StartTransaction():
            begun = Figures(
                effect.transaction_id,
                "active",
                effect.started_at,
                effect.meter_start,
                flags=" ".join(effect.flags),
            )
            return goes_without_saying(begun, others, max_power)
        case StopTransaction() if running is not None and effect.transaction_id == running.id:
            return goes_without_saying(_end_of(running, effect), others, max_power)
    return False


def settled(
    effects: tuple[Effect, ...],
    chain: Sequence[RecordedSession],
    max_power: int,
    received_at: datetime,
    charge_point_id: int,
) -> tuple[Effect, ...]:
    """These effects, with the figures that their sessions and the neighbours of these come to.

    `chain` is the window of the charge point as it was before. Sessions of which a neighbour may be
    missing there are left as they are.
    """
    sessions = {session.id: session for session in chain}
    ends: dict[int, StopTransaction] = {}
    touched: dict[Place, set[int]] = defaultdict(set)
    for effect in effects:
        match effect:
            case StartTransaction():
                sessions[effect.transaction_id] = _begun(effect, received_at, charge_point_id)
                touched[effect.place].add(effect.transaction_id)
            case StopTransaction() if effect.transaction_id in sessions:
                known = sessions[effect.transaction_id]
                sessions[known.id] = _ended(known, effect, received_at)
                ends[known.id] = effect
                touched[known.place].add(known.id)
            case UpdateTransaction() if effect.transaction_id in sessions:
                known = sessions[effect.transaction_id]
                sessions[known.id] = _moved_on(known, effect)
                if effect.reopen_on is not None:
                    ends.pop(known.id, None)
                    touched[known.place].add(known.id)
                elif known.state != "active" and effect.energy is not None:
                    touched[known.place].add(known.id)
    if not touched:
        return effects
    found: dict[int, Settled] = {}
    for place, pks in touched.items():
        there = [session for session in sessions.values() if session.place == place]
        if all(goes_without_saying(sessions[pk], there, max_power) for pk in pks):
            continue
        for group in near(sessions.values(), place, pks):
            for item in settle(group.sessions, max_power):
                if item.session.id not in group.without:
                    found[item.session.id] = item
    return (
        *(_with_figures(effect, found, ends) for effect in effects),
        *(
            _adjustment(item)
            for pk, item in found.items()
            if pk not in ends and item.session.state != "active" and item.is_other
        ),
    )


def _with_figures(
    effect: Effect, found: dict[int, Settled], ends: dict[int, StopTransaction]
) -> Effect:
    if not isinstance(effect, StopTransaction | UpdateTransaction):
        return effect
    pk = effect.transaction_id
    if pk not in found or pk not in ends:
        return effect
    item = found[pk]
    if not item.is_other and set(ends[pk].flags) == set(item.flags):
        return effect
    if isinstance(effect, UpdateTransaction):
        # It is written after the end, which has the figures.
        return replace(effect, energy=None, flags=effect.flags and item.flags)
    return replace(
        effect,
        energy=item.wh,
        energy_source=item.source,
        confidence=item.confidence,
        flags=item.flags,
        meter_stop=item.meter_stop,
        checks=written(item.own, checks_of(effect.checks)),
    )


def _adjustment(item: Settled) -> AdjustTransaction:
    session = item.session
    is_same = (session.energy, session.confidence) == (item.wh, item.confidence)
    return AdjustTransaction(
        transaction_id=session.id,
        energy=item.wh,
        energy_source=item.source,
        confidence=item.confidence,
        flags=item.flags,
        checks=written(item.own, checks_of(session.checks)),
        meter_stop=item.meter_stop,
        reason="" if is_same else item.reason or "Its neighbours agree with its own figures now.",
        old_energy=session.energy,
        old_confidence=session.confidence,
    )


def _end_of(known: TransactionState, effect: StopTransaction) -> Figures:
    return Figures(
        known.id,
        "orphaned" if effect.orphaned else "stopped",
        known.started_at,
        known.meter_start,
        effect.stopped_at,
        effect.meter_stop,
        effect.energy,
        effect.energy_source,
        " ".join(flag for flag in effect.flags if flag not in OF_THE_CHAIN),
    )


def _begun(
    effect: StartTransaction, received_at: datetime, charge_point_id: int
) -> RecordedSession:
    return RecordedSession(
        id=effect.transaction_id,
        charge_point_id=charge_point_id,
        connector=effect.connector,
        evse=effect.evse,
        state="active",
        id_tag=effect.id_tag,
        started_at=effect.started_at,
        start_received_at=received_at,
        meter_start=effect.meter_start,
        flags=" ".join(effect.flags),
    )


def _ended(
    known: RecordedSession, effect: StopTransaction, received_at: datetime
) -> RecordedSession:
    own = Own(effect.energy, effect.energy_source, effect.confidence, effect.meter_stop)
    return replace(
        known,
        state="orphaned" if effect.orphaned else "stopped",
        stopped_at=effect.stopped_at,
        stop_received_at=received_at,
        meter_stop=effect.meter_stop,
        energy=effect.energy,
        stop_reason=effect.reason,
        flags=" ".join(flag for flag in effect.flags if flag not in OF_THE_CHAIN),
        energy_source=effect.energy_source,
        confidence=effect.confidence,
        checks=written(own, checks_of(effect.checks)),
    )


def _moved_on(known: RecordedSession, effect: UpdateTransaction) -> RecordedSession:
    moved = replace(
        known,
        meter_last=known.meter_last if effect.meter_last is None else effect.meter_last,
        meter_last_at=effect.meter_last_at or known.meter_last_at,
        energy=known.energy if effect.energy is None else effect.energy,
        lives=known.lives if effect.lives is None else effect.lives,
        flags=known.flags if effect.flags is None else " ".join(effect.flags),
    )
    if effect.reopen_on is not None:
        return replace(moved, state="active", stopped_at=None, meter_stop=None, checks="")
    if known.state != "active" and effect.energy is not None:
        own = replace(own_of(known), wh=effect.energy)
        return replace(moved, checks=written(own, checks_of(known.checks)))
    return moved
