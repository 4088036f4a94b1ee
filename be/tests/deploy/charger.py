"""A charger's websocket through the front, for tests that are not asynchronous.

Not `websockets.sync`: it reads and writes one SSLSocket from two threads at once, which OpenSSL
does not allow, and one handshake in two hundred then went unanswered.
"""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

from tests.deploy.front import Front

__all__ = ["Charger", "charger"]


class Charger:
    """An open websocket; its loop runs while somebody sends or waits."""

    def __init__(self, runner: asyncio.Runner, connection: ClientConnection) -> None:
        self._runner, self._connection = runner, connection

    def send(self, frame: str) -> None:
        self._runner.run(self._connection.send(frame))

    def recv(self, timeout: float = 10) -> str:
        """The next frame; TimeoutError after `timeout` seconds."""
        frame = self._runner.run(asyncio.wait_for(self._connection.recv(), timeout))
        assert isinstance(frame, str)
        return frame


@contextmanager
def charger(
    site: Front,
    path: str,
    *,
    tls: bool | None = None,
    certificate: Path | None = None,
    **options: Any,
) -> Iterator[Charger]:
    """Connected to `path` of the site; InvalidStatus where it is refused."""
    tls = site.tls if tls is None else tls

    async def opened() -> ClientConnection:
        return await connect(
            f"{'wss' if tls else 'ws'}://127.0.0.1:{site.https if tls else site.http}{path}",
            ssl=site.context(certificate=certificate) if tls else None,
            proxy=None,
            compression=None,
            ping_interval=None,
            **options,
        )

    with asyncio.Runner() as runner:
        connection = runner.run(opened())
        try:
            yield Charger(runner, connection)
        finally:
            runner.run(connection.close())
