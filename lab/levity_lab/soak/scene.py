"""What a fault has at hand: the site, the chargers, its own chance; and tasks that end with it."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

import psutil

from levity_lab.soak.chargers import Crew
from levity_lab.soak.programs import SoakError
from levity_lab.soak.service import Service
from levity_lab.soak.site import Site
from levity_lab.soak.wire import Wire

__all__ = ["Scene", "family"]


@dataclass(eq=False)
class Scene:
    """One fault's view of the world."""

    site: Site
    crew: Crew
    chance: Random
    seconds: float
    odd: list[str] = field(default_factory=list)
    """What should not have happened: any line here fails the round."""
    counted: dict[str, int] = field(default_factory=dict)
    """What was done how often, for the report."""

    def count(self, what: str, amount: int = 1) -> None:
        """One more of these."""
        self.counted[what] = self.counted.get(what, 0) + amount

    def services(self, kind: str, number: int) -> list[Service]:
        """So many processes of this kind by chance; 0: all of them."""
        site = self.site
        if kind in ("broker", "database"):
            return [getattr(site, kind).service]
        every = site.workers if kind == "worker" else site.edges
        return self.chance.sample(every, number) if number else list(every)

    def wires(self, name: str) -> list[Wire]:
        """The wires of this name; `edge` are those between chargers and edges."""
        if name == "edge":
            return self.site.charger_wires
        found = [wire for wire in self.site.wires if wire.name == name]
        if not found:
            raise SoakError(f"there is no wire {name}")
        return found

    @contextlib.asynccontextmanager
    async def meanwhile(self, work: Callable[[], Awaitable[Any]]) -> AsyncIterator[None]:
        """Do this in the background until the block ends; what it raises is raised here."""
        task = asyncio.ensure_future(work())
        try:
            yield
        finally:
            if not task.done():
                task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task


def family(service: Service) -> list[psutil.Process]:
    """The process and all that it has started, wherever they went; empty if it has gone."""
    try:
        head = psutil.Process(service.pid)
        return [head, *head.children(recursive=True)]
    except (psutil.NoSuchProcess, SoakError):
        return []
