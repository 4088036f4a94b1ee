"""`python -m levity_ws`: run one edge on the broker at AMQP_URL."""

import argparse
import asyncio
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from levity_ws import logs
from levity_ws.edge.server import CannotListen, run
from levity_ws.edge.settings import EdgeSettings, SettingsError
from levity_ws.rpc.amqp import AmqpEdgeTransport
from levity_ws.rpc.topology import DEFAULT_URL, prefix_from_environ, url_from_environ

__all__ = ["loop_factory", "main"]

_DESCRIPTION = """\
The edge of Levity: chargers connect to ws://HOST:PORT/ws/CHARGE_POINT_ID, and every frame is
relayed to the backend's workers over RabbitMQ.
"""

_VARIABLES = f"""\
environment:
  AMQP_URL                              the broker [{DEFAULT_URL}]
  WS_HOST, WS_PORT                      where to listen [0.0.0.0, 9000; port 0 picks a free one]
  LEVITY_AMQP_PREFIX                    prefix of the queues' names [levity]
  LEVITY_EDGE_ID                        this edge's name; a random suffix is added [host name]
  LEVITY_MAX_CONNECTIONS                in total [20000]
  LEVITY_MAX_CONNECTIONS_PER_ADDRESS    from one address, 0 is no limit [200]
  LEVITY_MAX_FRAME_SIZE                 bytes of the largest frame [8388608]
  LEVITY_TRUSTED_PROXIES                whose X-Forwarded-For is believed, such as 10.0.0.0/8 [none]
  LEVITY_ALLOWED_ORIGINS                web pages that may connect [none]
  LEVITY_METRICS_PUBLIC                 1 answers /healthz, /readyz and /metrics to anyone [0]
  LEVITY_LOG_FORMAT, LOG_LEVEL          text or json; DEBUG, INFO, WARNING, ERROR [text, INFO]
  LEVITY_SPOOL                          this edge's own folder, to answer chargers while the
                                        backend is away [off]
  LEVITY_SPOOL_SIZE                     its size limit in bytes [67108864]
  LEVITY_SPOOL_STARTS                   1 lets anyone charge meanwhile, 0 no one [1]
  LEVITY_SPOOL_AFTER                    seconds the backend must be away first [5]
  LEVITY_SPOOL_IDS                      sessions that can begin meanwhile [500]
  LEVITY_PING_INTERVAL                  seconds between websocket pings, 0 is off [0]
  LEVITY_PING_TIMEOUT, LEVITY_OPEN_TIMEOUT, LEVITY_WRITE_TIMEOUT, LEVITY_HOLD_SECONDS,
  LEVITY_FRAME_GAP                      seconds [20, 10, 20, 20, 0.02]
"""


def main(arguments: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run until Ctrl-C or SIGTERM. Return the exit status: 0, or 1 after one line that says why."""
    argparse.ArgumentParser(
        prog="python -m levity_ws",
        description=_DESCRIPTION,
        epilog=_VARIABLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(arguments)
    try:
        logs.configure(environ)
        settings = EdgeSettings.from_environ(environ)
        url, prefix = url_from_environ(environ), prefix_from_environ(environ)
    except (SettingsError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(_run(settings, url, prefix))
    except KeyboardInterrupt:
        return 0
    except CannotListen as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """The loop factory of uvloop if it is installed, else None (the standard library's loop)."""
    try:
        import uvloop
    except ImportError:
        return None
    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory


async def _run(settings: EdgeSettings, url: str, prefix: str) -> None:
    await run(settings, AmqpEdgeTransport(url, prefix=prefix))


if __name__ == "__main__":
    sys.exit(main())
