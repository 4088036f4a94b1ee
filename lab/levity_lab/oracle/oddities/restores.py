"""`levity restore` to an older copy: what was said in between is in no book any more."""

from random import Random

from levity_lab.oracle.lives import Life, Session
from levity_lab.oracle.oddities.registry import ODDITIES, Oddity
from levity_lab.oracle.world import BEGIN, HOUR

__all__ = ["COPIED", "RESTORED"]

COPIED, RESTORED = BEGIN + 7 * HOUR, BEGIN + 12 * HOUR
"""When the copy is made, and when it becomes the database."""


def _meets(life: Life, session: Session, rng: Random) -> bool:
    """The ends of these sessions, or all of them, are forgotten."""
    if session.ends < COPIED - 1 or session.begins > RESTORED:
        return False
    if session.begins > COPIED and session.ends < RESTORED:
        session.forgotten = True
    return True


def _line(life: Life, session: Session, rng: Random) -> None:
    """Levity was stopped for it, so all chargers connect again, once for each life."""
    if not any(step.action == "connect" and step.at == RESTORED + 2 for step in life.others):
        life.connect(RESTORED + 2, boots=rng.random() < 0.3)


ODDITIES["restore"] = Oddity(
    "restore",
    "the database is set back to a copy that is five hours old",
    says=_line,
    happens=_meets,
    whole=True,
    restored=True,
)
