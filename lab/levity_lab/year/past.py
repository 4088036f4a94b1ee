"""`python -m levity_lab.year.past fill|picture|left`: the days before yesterday, for whoever moves
or updates them.

`fill CHARGERS DAYS` plays days that ended three days ago and earlier, as rows. `picture` prints
what readers give of them as JSON, with what is kept twice. `left` prints how much has not moved
yet.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import django
import orjson

__all__ = ["END", "fill", "left"]

END = timedelta(days=3)
"""So long ago the last of them ended, or longer."""
PREFIX = "YEAR-"


def fill(chargers: int, days: int) -> None:
    """Play so many days of so many charge points."""
    from levity_lab.year.fill import Site

    end = (datetime.now(UTC) - END).replace(hour=0, minute=0, second=0, microsecond=0)
    site = Site(chargers, seed=1)
    first = end - days * timedelta(days=1)
    site.connect(first)
    for number in range(days):
        site.play(first + number * timedelta(days=1))


def left() -> tuple[int, int]:
    """Exchanges, and MeterValues, of them that are still rows."""
    from levity.ocpp.models import Message, MeterValue

    mine = {"charge_point__identity__startswith": PREFIX}
    return Message.objects.filter(**mine).count(), MeterValue.objects.filter(**mine).count()


def main(what: str, *numbers: str) -> None:
    """The command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    django.setup()
    from levity_lab.year.picture import kept_twice, picture

    if what == "fill":
        fill(*map(int, numbers))
        return
    found = left() if what == "left" else {"twice": kept_twice(), "seen": picture(PREFIX)}
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
