"""Whether a charge point may charge: accepted or rejected. It hears of it when it boots next."""

from django.db.models import Q, QuerySet

from levity.ocpp.audit import Who
from levity.ocpp.deciding import Decided, Left, allowed, decide_all
from levity.ocpp.models import ChargePoint
from levity.ocpp.visibility import visible

__all__ = ["accept", "accept_waiting", "reject", "waiting"]

CHANGE = "ocpp.change_chargepoint"
ACCEPTED = ChargePoint.Registration.ACCEPTED
PENDING = ChargePoint.Registration.PENDING
REJECTED = ChargePoint.Registration.REJECTED


def accept(rows: QuerySet[ChargePoint], who: Who) -> Decided:
    """Let these in, however many they are."""
    return _register(rows, who, ACCEPTED)


def reject(rows: QuerySet[ChargePoint], who: Who) -> Decided:
    """Tell these with their next BootNotification that they are not wanted."""
    return _register(rows, who, REJECTED)


def waiting(who: Who) -> QuerySet[ChargePoint]:
    """The pending ones that this person may see, but for those that are retired."""
    rows = ChargePoint.objects.filter(registration=PENDING, retired_at__isnull=True)
    return rows if who is None else visible(rows, who)


def accept_waiting(who: Who, newest: int | None = None) -> Decided:
    """Let in all that wait; with `newest` only up to that key: who came later was not seen."""
    rows = waiting(who)
    return accept(rows if newest is None else rows.filter(pk__lte=newest), who)


def _register(rows: QuerySet[ChargePoint], who: Who, registration: str) -> Decided:
    rows = allowed(rows, who, CHANGE)
    word = registration.lower()
    total = rows.count()
    done = decide_all(
        rows,
        who,
        f"registration {word}",
        lambda found: found.update(registration=registration),
        only=~Q(registration=registration),
        before=["registration"],
        after={"registration": str(registration)},
    )
    same = total - done
    return Decided(done, (Left(same, f"{word} already"),) if same > 0 else ())
