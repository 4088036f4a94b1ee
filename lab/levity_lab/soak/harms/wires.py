"""The lines between chargers, edges, broker and database are bad, cut or half open."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

from levity_lab.soak.harms.common import Harm
from levity_lab.soak.scene import Scene
from levity_lab.soak.wire import GOOD, Trouble

__all__ = ["abandon", "cut", "half_open", "storm", "trouble"]


def trouble(
    where: str,
    *,
    latency: float = 0.0,
    loss: float = 0.0,
    reset: float = 0.0,
    rate: float = 0.0,
    stalled: bool = False,
) -> Harm:
    """These wires are bad (see `Trouble`), and good again in the end."""
    bad = Trouble(latency=latency, loss=loss, reset=reset, rate=rate, stalled=stalled)

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        wires = scene.wires(where)
        for wire in wires:
            wire.trouble = bad
        try:
            yield
        finally:
            for wire in wires:
                wire.trouble = GOOD

    return harm


def half_open(where: str) -> Harm:
    """Nothing passes, and in the end every connection turns out to be dead."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        wires = scene.wires(where)
        for wire in wires:
            wire.trouble = Trouble(stalled=True)
        try:
            yield
        finally:
            for wire in wires:
                wire.break_all()
                wire.heal()

    return harm


def cut(where: str) -> Harm:
    """The wire is cut: RST both ways, and refused, until it is over. Of several, the first."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        wire = scene.wires(where)[0]
        wire.cut()
        try:
            yield
        finally:
            wire.heal()

    return harm


def abandon(where: str) -> Harm:
    """The near ends vanish, the far ends are not told; connections made afterwards are good."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        for wire in scene.wires(where):
            scene.count("abandoned", wire.abandon())
        try:
            yield
        finally:
            for wire in scene.wires(where):
                wire.heal()

    return harm


def storm() -> Harm:
    """Everybody is cut off for a second, then all come at once; every few seconds."""

    @contextlib.asynccontextmanager
    async def harm(scene: Scene) -> AsyncIterator[None]:
        async def go_on() -> None:
            while True:
                for wire in scene.site.charger_wires:
                    wire.cut()
                await asyncio.sleep(1.0)
                for wire in scene.site.charger_wires:
                    wire.heal()
                scene.count("storms")
                await asyncio.sleep(2.5)

        try:
            async with scene.meanwhile(go_on):
                yield
        finally:
            for wire in scene.site.charger_wires:
                wire.heal()

    return harm
