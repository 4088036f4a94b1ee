"""Sessions that never got their StopTransaction."""

from levity.ocpp.effects import Effect, StartTransaction, StopTransaction
from levity.ocpp.energy import without_stop
from levity.ocpp.request import GetResponse, Request, Response, TransactionState, with_flags

__all__ = ["OrphanedTransactions"]


class OrphanedTransactions:
    """Close a running transaction that can't be running any more, from its last meter value.

    When another one starts on its connector, and when the charger boots. The end is provisional:
    the charger's own StopTransaction still replaces it, and its MeterValues after a boot open
    the transaction again (see actions).
    """

    actions = frozenset({"BootNotification", "StartTransaction"})

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: Request) -> Response:
        """The response of the chain, with the ends of the orphans before its own effects."""
        response = self.get_response(request)
        active = request.charge_point.active
        orphans: list[Effect] = []
        if request.action == "BootNotification":
            orphans += [_close(item, request, "Reboot") for item in active.values()]
        for effect in response.effects:
            if isinstance(effect, StartTransaction) and (item := active.get(effect.connector)):
                orphans.append(_close(item, request, "Other"))
        if not orphans:
            return response
        return Response(response.payload, (*orphans, *response.effects))


def _close(transaction: TransactionState, request: Request, reason: str) -> StopTransaction:
    """The end as far as it is known: the last sample, or the start where there was none."""
    charged = without_stop(transaction)
    return StopTransaction(
        transaction_id=transaction.id,
        # A register that counts from the session's start says nothing of the lifetime one.
        meter_stop=(
            transaction.meter_start + charged.wh
            if charged.source == "session-register"
            else transaction.meter_last
        ),
        stopped_at=transaction.meter_last_at or transaction.started_at,
        energy=charged.wh,
        reason=reason,
        orphaned=True,
        flags=with_flags(transaction.flags, ("orphaned",)),
        energy_source=charged.source,
        confidence=charged.confidence,
    )
