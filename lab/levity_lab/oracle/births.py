"""Lives as they are drawn: which make, how many connectors, which sessions are odd, and how."""

from collections.abc import Sequence
from random import Random

from levity_lab.oracle.lives import Life, Session, live
from levity_lab.oracle.makes import MAKES
from levity_lab.oracle.oddities import ODDITIES, Oddity
from levity_lab.oracle.telling import first_words, tell

__all__ = ["born", "born_mixed"]


def born(identity: str, oddity: Oddity, seed: object) -> Life:
    """A charger with one oddity in about every second of its sessions."""
    return _born(identity, oddity.name, (oddity,), seed)


def born_mixed(identity: str, seed: object) -> Life:
    """A charger with two to five oddities, one in each odd session."""
    rng = Random(f"{seed} {identity} oddities")
    return _born(
        identity,
        "mixed",
        rng.sample([each for _, each in sorted(ODDITIES.items()) if not each.restored], 5),
        seed,
    )


def _born(identity: str, cause: str, drawn: Sequence[Oddity], seed: object) -> Life:
    rng = Random(f"{seed} {identity}")
    first = drawn[0]
    make = rng.choice([each for each in MAKES if first.fits(each)])
    chosen = [each for each in drawn if each.fits(make)]
    connectors = rng.choice((1, 1, 1, 2, 2, 3, 4))
    if cause == "mixed":
        # What the whole charger is would be all that it is.
        fitting = [each for each in chosen if not each.whole and _fits(each, connectors)]
        chosen = fitting or [first]
    if not _fits(first, connectors) and first in chosen:
        connectors = min(max(connectors, first.connectors), first.most)
    life = live(identity, make, cause, connectors, rng)
    odd: list[tuple[Session, Oddity]] = []
    for connector in life.connectors:
        last = connector.sessions[-1]
        for number, session in enumerate(connector.sessions):
            oddity = rng.choice(chosen)
            if (number % 2 and session is not last) or oddity.whole:
                odd.append((session, oddity))
    odd.sort(key=lambda each: each[0].begins)
    for session, oddity in odd:
        if not session.cause:
            _happens(life, session, oddity, rng)
    for session in life.sessions:
        session.connector.meter.flow.add(session.pieces)
    first_words(life)
    for session in life.sessions:
        tell(session, life, rng)
    # Also those that became odd by what happened in another.
    for session, said in [
        (each, ODDITIES[each.cause].says) for each in life.sessions if each.cause
    ]:
        if said is not None and said(life, session, rng) is False:
            session.cause = ""
    return life


def _fits(oddity: Oddity, connectors: int) -> bool:
    return oddity.connectors <= connectors <= oddity.most


def _happens(life: Life, session: Session, oddity: Oddity, rng: Random) -> None:
    session.cause = oddity.name
    if oddity.happens is not None and oddity.happens(life, session, rng) is False:
        session.cause = ""
