"""Sessions that never got their StopTransaction."""

from levity.ocpp.effects import BY_BOOT, Effect, ResetConnectors, StartTransaction, StopTransaction
from levity.ocpp.request import GetResponse, Request, Response, TransactionState
from levity.ocpp.rules.unended import closed

__all__ = ["OrphanedTransactions"]


class OrphanedTransactions:
    """Close a running transaction that can't be running any more, from its last meter value.

    When another one starts on its connector, and when the charger boots. A StartTransaction that
    comes late (a backlog, delivered beside the session that runs now) closes itself instead. The
    end is provisional: the charger's own StopTransaction still replaces it, and MeterValues
    that go on after a boot, with its id or without one, open the transaction again (see actions).
    """

    effects = frozenset({ResetConnectors, StartTransaction})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, with the ends of the orphans."""
        response = self.get_response(request)
        active = request.charge_point.active
        before: list[Effect] = []
        after: list[Effect] = []
        if any(isinstance(effect, ResetConnectors) for effect in response.effects):
            before += [closed(item, BY_BOOT) for item in active.values()]
        ended = {
            item.transaction_id for item in response.effects if isinstance(item, StopTransaction)
        }
        for effect in response.effects:
            if not isinstance(effect, StartTransaction) or effect.transaction_id in ended:
                continue
            running = active.get(effect.place)
            if running is not None and running.id in ended:
                continue
            if running is not None and _is_older(effect, running):
                after.append(closed(_begun(effect, request), "Other"))
            elif running is not None:
                before.append(closed(running, "Other"))
        if not before and not after:
            return response
        return Response(response.payload, (*before, *response.effects, *after))


def _is_older(effect: StartTransaction, running: TransactionState) -> bool:
    """True if this session began before the one that runs, as far as the clock can be believed."""
    odd = {*effect.flags, *running.flags.split()}
    return effect.started_at < running.started_at and not odd & {
        "start-clock-unset",
        "start-clock-ahead",
        "no-start-time",
    }


def _begun(effect: StartTransaction, request: Request) -> TransactionState:
    return TransactionState(
        id=effect.transaction_id,
        charge_point_id=request.charge_point.id,
        connector=effect.connector,
        evse=effect.evse,
        state="active",
        id_tag=effect.id_tag,
        started_at=effect.started_at,
        meter_start=effect.meter_start,
        flags=" ".join(effect.flags),
    )
