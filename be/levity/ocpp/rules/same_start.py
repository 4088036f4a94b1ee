"""Is it the same StartTransaction again, or a new session that is told in the same words?

Connector, id tag, time and meter value are what a StartTransaction is recognised by. Where the
charger's clock was never set, or begins at its firmware's date whenever it is switched on, the time
can be the same each time, and where its meter counts from the session's start, so is all the rest:
then what has happened since has to tell.
"""

from datetime import datetime, timedelta
from decimal import Decimal

from levity.ocpp.chargers.clocks import is_unset
from levity.ocpp.effects import BY_BOOT
from levity.ocpp.request import ChargePointState, ConnectorState, TransactionState
from levity.ocpp.rules.sampled import RESET, SESSION

__all__ = ["has_doubtful_time", "is_closed_by_boot", "is_sent_again"]

# The car is gone, another one has come, or nothing flows any more. A charger that repeats its
# StartTransaction has no reason to say so in between.
NOT_CHARGING = frozenset({"Available", "Preparing", "Finishing"})
# Further back than a charger's first word of a session ever is, but by a clock that is wrong.
WRONG = timedelta(days=1)
# How an end was found that need not be the session's own, or when a boot lay within the session.
UNSURE_END = frozenset(
    {"continued", "id-of-another", "late-stop", "matched-by-connector", "stop-came-first"}
)


def is_sent_again(known: TransactionState, charge_point: ChargePointState) -> bool:
    """True if the words that `known` began with mean that session again, False if a new one.

    With a clock that can be believed they always do. With one that was never set, or that began
    anew since:

    - while it runs, they do, unless its connector has become free, or plugged in anew, since;
    - after its StopTransaction they don't: the charger got its answer, or it would not know the id;
    - if a boot closed it before anything was charged, they do: nothing is lost by going on with it.
    """
    if not has_doubtful_time(known, charge_point):
        return True
    if known.state == "active":
        return not _has_become_free(known, charge_point.connectors.get(known.place))
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


def has_doubtful_time(known: TransactionState, charge_point: ChargePointState) -> bool:
    """True if the same time again does not show that the charger speaks of this session.

    Its clock was never set; or it began anew at a boot since, as the date of the connector's status
    shows: it was told after the boot, and is of before the session's end. Where statuses have no
    dates, the session has to have got its own end before the boot, and to have begun with a date
    that is far off. A register that goes on would not stand where it stood at the start.
    """
    if is_unset(known.started_at, known.start_received_at):
        return True
    began, booted = known.start_received_at, charge_point.booted_at
    if began is None or booted is None or booted <= began:
        return False
    connector = charge_point.connectors.get(known.place)
    if connector is None or connector.status_since is None or connector.status_since < booted:
        # It has said nothing of the connector since: what it says of sessions is of before.
        return False
    if _has_moved(known):
        return False
    dated = connector.status_at
    if dated is not None and not is_unset(dated, connector.status_since):
        return dated <= _newest(known) and "clock-ahead" not in known.flags
    return (
        charge_point.lag.seen is None
        and known.state == "stopped"
        and not UNSURE_END & set(known.flags.split())
        and began - known.started_at > WRONG
    )


def _newest(known: TransactionState) -> datetime:
    """The last moment of the session by the charger's own clock."""
    if known.state == "stopped" and known.stopped_at and "no-stop-time" not in known.flags.split():
        return known.stopped_at
    return known.meter_last_at or known.started_at


def _has_moved(known: TransactionState) -> bool:
    """True if its register has moved, and does not begin at 0 again each time."""
    begun = known.register_at_start
    if begun == 0 or {SESSION, RESET} & set(known.flags.split()):
        return False
    return max(known.newest_register, known.meter_stop or begun) > begun
