"""The figures of what a batch begins and ends, with the sessions that lie near (`rules.chain`)."""

from collections.abc import Iterator, Sequence

from levity.ocpp.request import ChargePointState
from levity.ocpp.rules.chain.settling import needs_no_settling, settled
from levity.ocpp.store import Loaded, Outcome
from levity.ocpp.store.chain import load_more

__all__ = ["settle_outcomes"]


def settle_outcomes(outcomes: Sequence[Outcome], loaded: Loaded) -> None:
    """Settle the effects of these outcomes; what lies near is loaded where a glance was not
    enough: one statement for all of them."""
    if not (loaded.chains or loaded.beside):
        return
    there = list(_of_sessions(outcomes, loaded))
    load_more(
        loaded,
        [
            charge_point.id
            for outcome, charge_point in there
            if charge_point.id in loaded.beside and not _is_plain(outcome, charge_point, loaded)
        ],
    )
    for outcome, charge_point in there:
        if charge_point.id in loaded.chains:
            outcome.effects = settled(
                outcome.effects,
                loaded.chains[charge_point.id],
                charge_point.max_power,
                outcome.arrival.at,
                charge_point.id,
            )


def _of_sessions(
    outcomes: Sequence[Outcome], loaded: Loaded
) -> Iterator[tuple[Outcome, ChargePointState]]:
    """Those of charge points of which something lies near."""
    chains, beside = loaded.chains, loaded.beside
    for outcome in outcomes:
        charge_point = outcome.charge_point
        if charge_point is not None and (charge_point.id in beside or charge_point.id in chains):
            yield outcome, charge_point


def _is_plain(outcome: Outcome, charge_point: ChargePointState, loaded: Loaded) -> bool:
    named = loaded.transactions.get(outcome.arrival.references.transaction_id or 0)
    before = loaded.beside[charge_point.id]
    beside = () if before is None else (before,)
    return needs_no_settling(outcome.effects, named, beside, charge_point.max_power)
