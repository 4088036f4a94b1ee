"""`python -m levity_ws.beside FD`: the edge of `levity serve`, which starts it and ends with it.

FD is its end of a pair of sockets (`rpc/pipe.py`). A process of its own: it relays while the other
one keeps the books, on another core and with another interpreter lock.
"""

import signal

if __name__ == "__main__":
    # Ctrl-C in a terminal is for both processes. While this one still loads what it needs, it just
    # ends, without a word; from then on it says goodbye to its chargers.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import asyncio
import os
import socket
import sys

from prometheus_client import CollectorRegistry, generate_latest

from levity_ws import logs
from levity_ws.__main__ import loop_factory
from levity_ws.edge.server import CannotListen, EdgeServer, run
from levity_ws.edge.settings import EdgeSettings
from levity_ws.rpc.pipe import PipeEdgeTransport, say_trouble

__all__ = ["main"]


def main(number: int) -> int:
    """Run until the other process says so (SIGTERM), or is gone."""
    logs.configure(os.environ)
    end = socket.socket(fileno=number)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(end))
    except KeyboardInterrupt:
        return 0
    except CannotListen as error:
        say_trouble(end, str(error))
        return 1
    return 0


async def _run(end: socket.socket) -> None:
    registry = CollectorRegistry(auto_describe=False)
    transport = PipeEdgeTransport(
        end,
        # A goodbye to the chargers; there is nobody else to tell.
        on_end=lambda: os.kill(os.getpid(), signal.SIGTERM),
        metrics=lambda: generate_latest(registry).decode(),
    )

    def started(server: EdgeServer) -> None:
        registry.register(server.metrics)
        transport.listening(server.port)

    await run(EdgeSettings.from_environ(os.environ), transport, on_started=started)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
