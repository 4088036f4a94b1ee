"""Which exchanges somebody looks for, and the order in which they are found."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Q

from levity_ws.frozen import frozen

__all__ = ["LAST_ID", "MOMENT", "Place", "Wanted"]

LAST_ID = 2**63 - 1

MOMENT = timedelta(microseconds=1)
"""No time is more exact: what is younger than `t` is not older than `t + MOMENT`."""


@frozen
class Place:
    """Where an exchange stands in the log: by its time, then by its number."""

    at: datetime
    id: int


@frozen
class Wanted:
    """All of these at once; what is left out limits nothing."""

    charge_points: Any = None
    """Their ids, or a query for them."""
    actions: Collection[str] = ()
    sender: str = ""
    has_error: bool | None = None
    transaction: int | None = None
    connection: str = ""
    """A UUID with dashes."""
    since: datetime | None = None
    until: datetime | None = None
    """By when we received it; this moment is not wanted any more."""
    before: Place | None = None
    after: Place | None = None
    """Only what stands before, or after, this one."""

    def of_rows(self) -> Q:
        """The condition on rows of `Message`."""
        return self.found_by_index() & self.looked_through()

    def found_by_index(self) -> Q:
        """The part of it that an index of the rows answers."""
        found = Q()
        if self.charge_points is not None:
            found &= Q(charge_point__in=self.charge_points)
        if self.since is not None:
            found &= Q(received_at__gte=self.since)
        if self.until is not None:
            found &= Q(received_at__lt=self.until)
        if self.before is not None:
            found &= Q(received_at__lte=self.before.at)
            found &= ~Q(received_at=self.before.at, id__gte=self.before.id)
        if self.after is not None:
            found &= Q(received_at__gte=self.after.at)
            found &= ~Q(received_at=self.after.at, id__lte=self.after.id)
        if self.has_error:
            found &= ~Q(error_code="")
        return found

    def looked_through(self) -> Q:
        """The rest: each row is looked at."""
        found = Q()
        if self.actions:
            found &= Q(action__in=list(self.actions))
        if self.sender:
            found &= Q(sender=self.sender)
        if self.has_error is False:
            found &= Q(error_code="")
        if self.transaction is not None:
            found &= Q(transaction=self.transaction)
        if self.connection:
            found &= Q(connection=self.connection)
        return found
