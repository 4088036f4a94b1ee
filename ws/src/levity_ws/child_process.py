"""`python -m levity_ws.child_process FD`: the edge of `levity serve`, which starts and ends it.

FD is its end of a pair of sockets (`rpc/pipe.py`). As a process of its own, it relays on another
core and with another interpreter lock while the other process works on the database.
"""

import signal

if __name__ == "__main__":
    # Ctrl-C in a terminal is for both processes. While this one is still loading modules, it ends
    # silently; later it closes its chargers' connections first.
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
    """Run until the other process sends SIGTERM or is gone."""
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
        # Close the chargers' connections; nothing else needs to be told.
        on_end=lambda: os.kill(os.getpid(), signal.SIGTERM),
        metrics=lambda: generate_latest(registry).decode(),
    )

    def started(server: EdgeServer) -> None:
        registry.register(server.metrics)
        transport.listening(server.port)

    await run(EdgeSettings.from_environ(os.environ), transport, on_started=started)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
