"""What an oddity is, and the list of all of them."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from levity_lab.oracle.lives import Life, Session
from levity_lab.oracle.makes import Make

__all__ = [
    "ODDITIES",
    "Bend",
    "Oddity",
    "anything",
    "happens",
    "has_samples",
    "lifetime",
    "odd",
    "tells_whose",
]

Bend = Callable[[Life, Session, Random], bool | None]
"""Makes one session odd; False where that is not possible, which leaves it as it was."""


def anything(_: Make) -> bool:
    """Every make."""
    return True


def has_samples(make: Make) -> bool:
    """Makes that send samples."""
    return make.period > 0


def lifetime(make: Make) -> bool:
    """Makes whose registers never begin anew by themselves."""
    return make.counts == "lifetime"


def tells_whose(make: Make) -> bool:
    """Makes whose Stop tells by its tag or register on which connector it is."""
    return make.stop_tag or make.counts == "lifetime"


@dataclass(slots=True)
class Oddity:
    """One thing that chargers, networks and people do to a session."""

    name: str
    about: str
    says: Bend | None = None
    """Changes what is said of it."""
    happens: Bend | None = None
    """Changes what truly happens, before anything is said."""
    connectors: int = 1
    """It needs so many."""
    most: int = 4
    """With more, nothing on the wire would tell whose it is."""
    fits: Callable[[Make], bool] = anything
    whole: bool = False
    """The whole charger is so: each of its sessions is odd."""
    untellable: str = ""
    """Why nothing on the wire contradicts a wrong figure, where that is so in all cases."""
    restored: bool = False
    """Played in a world of its own, in which the database is set back to an older copy."""


ODDITIES: dict[str, Oddity] = {}


def odd(
    name: str,
    about: str,
    *,
    connectors: int = 1,
    most: int = 4,
    fits: Callable[[Make], bool] = anything,
    whole: bool = False,
    untellable: str = "",
) -> Callable[[Bend], Bend]:
    """Registers what is said of an odd session."""

    def register(bend: Bend) -> Bend:
        assert name not in ODDITIES, name
        ODDITIES[name] = Oddity(
            name,
            about,
            says=bend,
            connectors=connectors,
            most=most,
            fits=fits,
            whole=whole,
            untellable=untellable,
        )
        return bend

    return register


def happens(
    name: str,
    about: str = "",
    *,
    connectors: int = 1,
    fits: Callable[[Make], bool] = anything,
    whole: bool = False,
) -> Callable[[Bend], Bend]:
    """Registers what truly happens in an odd session; with `about` that is all there is to it."""

    def register(bend: Bend) -> Bend:
        if about:
            assert name not in ODDITIES, name
            ODDITIES[name] = Oddity(
                name, about, happens=bend, connectors=connectors, fits=fits, whole=whole
            )
        else:
            ODDITIES[name].happens = bend
        return bend

    return register
