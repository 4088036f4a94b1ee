"""For how long something that a charger says may show what became of a Call of ours.

By what it shows it is a matter of the version of OCPP (`v16/evidence.py`).
"""

from datetime import timedelta

__all__ = ["LONG", "SETTLED_AFTER", "SOON"]

SETTLED_AFTER = timedelta(seconds=5)
"""A charger may say it before it answers. So long after the Call no answer is expected any more."""
SOON = timedelta(minutes=15)
LONG = timedelta(hours=24)
"""For how long after the Call something may show it: most of them, and those with a file."""
