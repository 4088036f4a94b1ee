"""`python -m levity_lab.hurry COMMAND`: `levity COMMAND`, but old rows move at once, a few a step.

A worker waits a minute before it moves anything, and a day of a charger moves in one step: whoever
kills it in the middle would wait for long and hit little. What moves them is the code of any site;
only pauses and portions differ. LEVITY_HURRY_DAYS sets the movers' clock so many days ahead, so
that what came a moment ago moves, too; LEVITY_HURRY_ROUND sets the seconds of a round.
"""

import os
from datetime import datetime, timedelta

import django

from levity.__main__ import main

__all__ = ["hurry"]

REST, BUSY = 1.5, 0.02
"""Seconds until the next round: at first and where nothing was left; and where chargers send."""
EXCHANGES, METER_VALUES, SAMPLES = 60, 25, 100
"""Of a step. So a day's block and a long session's trace are written anew several times."""


def hurry() -> None:
    """Let this process's worker move old rows at once. Apps are ready afterwards."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    django.setup()
    from levity.ocpp.store.messages import known
    from levity.ocpp.store.messages import moving as messages
    from levity.ocpp.store.samples import moving as samples
    from levity.ocpp.worker import moving

    moving.REST, moving.BUSY = REST, BUSY
    moving.ROUND = float(os.environ.get("LEVITY_HURRY_ROUND") or moving.ROUND)
    messages.AT_ONCE = EXCHANGES
    samples.AT_ONCE, samples.SAMPLES_AT_ONCE = METER_VALUES, SAMPLES
    if ahead := int(os.environ.get("LEVITY_HURRY_DAYS") or 0):
        # A frame of this moment may be in a block then: one that comes again is looked for there.
        known.YOUNGEST = timedelta(0)
        go_on = moving.Moving.go_on

        def go_on_ahead(self: moving.Moving, now: datetime, *, is_idle: bool) -> int:
            return go_on(self, now + timedelta(days=ahead), is_idle=is_idle)

        moving.Moving.go_on = go_on_ahead  # type: ignore[method-assign]


if __name__ == "__main__":
    hurry()
    main()
