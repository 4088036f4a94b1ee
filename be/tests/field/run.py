"""`make field`: every case and every capture over a real websocket, against a fresh Levity.

    python -m tests.field.run                     levity serve, on SQLite
    python -m tests.field.run --fleet             workers and an edge, on Postgres and RabbitMQ
    python -m tests.field.run --only c40          what has this in its name

Prints a line for each, and a sum; the exit status is 1 if one of them is wrong.
"""

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import django


def main() -> int:
    """All that is asked for; the exit status."""
    asked = argparse.ArgumentParser(description="The field's cases and captures over websockets.")
    asked.add_argument("--fleet", action="store_true", help="on Postgres and RabbitMQ")
    asked.add_argument("--only", default="", metavar="TEXT", help="what has this in its name")
    asked.add_argument("--sockets", action="store_true", help="what only a socket can show")
    asked.add_argument("--quick", action="store_true", help="not what takes half a minute")
    options = asked.parse_args()
    wrong = tried = 0
    begun = monotonic()
    with started(fleet=options.fleet) as site:
        from tests.field.over_sockets import OverSockets

        ground = OverSockets(site.url(), site.levity)
        for name, title, play in everything(quick=options.quick):
            if options.only not in name or (options.sockets and not only_on_sockets(name)):
                continue
            tried += 1
            said = outcome(lambda play=play: play(ground))
            ground.over()
            wrong += bool(said)
            print(f"{'WRONG' if said else 'right'}  {name:34} {said or title}", flush=True)
        troubles = site.tracebacks()
    for trouble in troubles:
        print(trouble)
    shape = "Postgres and RabbitMQ" if options.fleet else "levity serve on SQLite"
    took = monotonic() - begun
    print(
        f"{tried - wrong} of {tried} right on {shape}, in {took:.0f} s; {len(troubles)} tracebacks"
    )
    return 1 if wrong or troubles or not tried else 0


@contextmanager
def started(*, fleet: bool) -> Iterator[Any]:
    """A Levity of its own, whose database is also the one of this process."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="levity-field-")))
        os.environ["DJANGO_SETTINGS_MODULE"] = "levity.settings"
        os.environ["LEVITY_DATA_DIR"] = str(folder / "data")
        os.environ["SECRET_KEY"] = "of-no-value-" * 5
        if not fleet:
            os.environ.pop("DATABASE_URL", None)
            os.environ.pop("AMQP_URL", None)
            django.setup()
            from tests.system.site import embedded

            yield stack.enter_context(embedded(folder, None))
            return
        from tests.system import site
        from tests.system.books import postgres_database

        database = stack.enter_context(postgres_database(site.POSTGRES_URL, migrated=True))
        os.environ["DATABASE_URL"] = database
        django.setup()
        yield stack.enter_context(site.fleet(folder, None, database=database, workers=1, edges=1))


def everything(*, quick: bool) -> Iterator[tuple[str, str, Callable[[Any], None]]]:
    """Name, title and play of all there is."""
    from tests.field.captured import captures
    from tests.field.catalogue import all_cases
    from tests.field.shaken import shake
    from tests.field.verdicts import after_a_lost_stop, as_it_is

    for case in all_cases():
        if not case.in_process and (case.quick or not quick):
            yield case.number, f"{case.title} ({case.source})", case.play
    for capture in captures():
        about = f"{capture.about['make']} {capture.about['model']} ({capture.about['source']})"
        if capture.handshake:
            yield (
                f"{capture.name}, handshake",
                about,
                lambda ground, capture=capture: shake(ground, capture),
            )
        if capture.plays:
            yield (
                capture.name,
                about,
                lambda ground, capture=capture: as_it_is(ground, capture),
            )
        if capture.plays and not quick and capture.runs_on:
            yield (
                f"{capture.name}, stop lost",
                about,
                lambda ground, capture=capture: after_a_lost_stop(
                    as_it_is(ground, capture, f"L-{capture.name}"), boots=True
                ),
            )


def only_on_sockets(name: str) -> bool:
    """True for a handshake, and for a case that can't be played in process."""
    from tests.field.catalogue import all_cases

    return name.endswith(", handshake") or name in {
        case.number for case in all_cases() if case.sockets
    }


def outcome(play: Callable[[], None]) -> str:
    """What went wrong, in a line; nothing if nothing did."""
    try:
        play()
    except Exception as error:  # noqa: BLE001  # whatever goes wrong is the case's outcome
        frame = traceback.extract_tb(error.__traceback__)[-1]
        what = str(error) or type(error).__name__
        return f"{Path(frame.filename).name}:{frame.lineno} {frame.line} | {what}"[:400]
    return ""


if __name__ == "__main__":
    sys.exit(main())
