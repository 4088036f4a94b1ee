"""`python -m levity_lab.year.past fill|picture`: the days before yesterday, for whoever moves or
updates them.

`fill CHARGERS DAYS` plays days that ended three days ago and earlier, as rows. `picture [PREFIX]`
prints what readers give of them, or of the charge points with this prefix, as JSON, with what is
kept twice.
"""

import os
import sys
from datetime import UTC, datetime, timedelta

import django
import orjson

__all__ = ["END", "fill"]

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


def main(what: str, *words: str) -> None:
    """The command line."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "levity.settings")
    django.setup()
    from levity_lab.year.picture import kept_twice, picture

    if what == "fill":
        fill(*map(int, words))
        return
    found = {"twice": kept_twice(), "seen": picture(*words or [PREFIX])}
    sys.stdout.buffer.write(orjson.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
