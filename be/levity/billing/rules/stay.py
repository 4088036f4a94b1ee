"""How long a car kept the place after its session, and when it took nothing: for the idle fee."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from levity.billing.rules.curve import FULL, full_spans
from levity.billing.rules.usage import STAY, Span
from levity_ws.frozen import frozen

__all__ = ["Stay", "stay_of"]


@frozen
class Stay:
    """Of one session."""

    full: tuple[Span, ...]
    """When the car took nothing and kept the place, up to now if it still does."""
    left: datetime | None
    """When the plug was out, or what it did was known last; None: it is still in."""

    def until(self, end: datetime) -> "Stay":
        """As if it had left then."""
        within = (span.within(span.start, end) for span in self.full)
        return replace(self, full=tuple(span for span in within if span), left=end)


def stay_of(
    start: datetime,
    end: datetime,
    statuses: Sequence[tuple[datetime, str]],
    following: datetime | None,
    now: datetime,
) -> Stay:
    """Of a session and what its connector reported, in order of time.

    After StopTransaction a charger reports Finishing until the plug is out (OCPP 1.6, 4.9): the
    first other status ends the stay, and so do the next session on the connector, and `STAY` after
    the session, whatever was reported.
    """
    latest = end + STAY if following is None else max(end, min(following, end + STAY))
    left = next((at for at, status in statuses if at >= end and status not in FULL), None)
    if left is None and (not statuses or statuses[-1][1] not in FULL):
        left = end
    if left is None and now >= latest:
        left = latest
    if left is not None:
        left = min(left, latest)
    # The part of a stay that is not over is not counted yet.
    return Stay(tuple(full_spans(start, end if left is None else left, statuses)), left)
