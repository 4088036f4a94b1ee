"""Is it the same StartTransaction again, or a new session that is told in the same words?

Connector, id tag, time and meter value are what a StartTransaction is recognised by. Where the
charger's clock was never set, the time is the same each time, and where its meter counts from the
session's start, so is all the rest: then what has happened since has to tell.
"""

from decimal import Decimal

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.effects import BY_BOOT
from levity.ocpp.request import ConnectorState, TransactionState

__all__ = ["is_closed_by_boot", "is_sent_again"]

# The car is gone, another one has come, or nothing flows any more. A charger that repeats its
# StartTransaction has no reason to say so in between.
NOT_CHARGING = frozenset({"Available", "Preparing", "Finishing"})


def is_sent_again(known: TransactionState, connector: ConnectorState | None) -> bool:
    """True if the words that `known` began with mean that session again, False if a new one.

    With a clock that can be believed they always do. With one that was never set:

    - while it runs, they do, unless its connector has become free, or plugged in anew, since;
    - after its StopTransaction they don't: the charger got its answer, or it would not know the id;
    - if a boot closed it before anything was charged, they do: nothing is lost by going on with it.
    """
    if not is_unset(known.started_at, known.start_received_at):
        return True
    if known.state == "active":
        return not _has_become_free(known, connector)
    return is_closed_by_boot(known) and known.energy in (None, Decimal(0))


def is_closed_by_boot(transaction: TransactionState) -> bool:
    """True if the charger booted in the middle of it, and nothing is known of it since."""
    return (
        transaction.state == "orphaned"
        and transaction.stop_reason == BY_BOOT
        # Not by a StopTransaction that made no sense, whose reason may be the same word.
        and "orphaned" in transaction.flags.split()
    )


def _has_become_free(known: TransactionState, connector: ConnectorState | None) -> bool:
    began = known.start_received_at
    if connector is None or connector.status_since is None or began is None:
        return False
    return connector.status in NOT_CHARGING and connector.status_since > began
