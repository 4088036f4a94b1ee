"""`python -m levity_lab.oracle.wired.launch COMMAND`: `levity COMMAND` in world time.

Time-outs that are compared with the clock of the world are as many of our seconds as ever.
"""

import os
from datetime import UTC, datetime

from levity_lab.oracle.wired.clock import WorldClock

__all__ = ["launch"]

_SECONDS = ("OCPP_EDGE_TIMEOUT", "OCPP_CALL_TIMEOUT", "OCPP_CONNECTION_TIMEOUT")


def launch() -> None:
    """Replace Django's clock before anything that asks for the time is imported."""
    clock = WorldClock.told()
    assert clock is not None
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    from django.utils import timezone

    timezone.now = lambda: datetime.fromtimestamp(clock.now(), UTC)
    from django.conf import settings

    from levity.__main__ import main
    from levity.ocpp.conf import DEFAULTS

    for name in _SECONDS:
        setattr(settings, name, DEFAULTS[name] * clock.factor)
    # All chargers of a run are new in the same hour of the world.
    settings.OCPP_NEW_PER_HOUR = 0
    main()


if __name__ == "__main__":
    launch()
