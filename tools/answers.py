"""Say whether the service behind a URL lets us in: `answers.py URL`, a broker's or a database's.

Exit codes: 0 it does; 3 nobody listens there; 4 somebody listens and refuses us (stderr says how).
Never prints the URL itself: it may carry a password.
"""

import socket
import sys
from urllib.parse import urlsplit

OK, SILENT, REFUSED = 0, 3, 4
PORTS = {"amqp": 5672, "amqps": 5671, "postgres": 5432, "postgresql": 5432}


def place(url: str) -> tuple[str, int]:
    """Host and port of the URL, the scheme's own port where it names none."""
    parts = urlsplit(url)
    return parts.hostname or "127.0.0.1", parts.port or PORTS[parts.scheme]


def enter(url: str) -> None:
    """Log in and leave again; raises whatever the client library raises."""
    if urlsplit(url).scheme.startswith("amqp"):
        import pika  # only the client that is needed is loaded

        parameters = pika.URLParameters(url)
        parameters.socket_timeout = parameters.stack_timeout = 5
        parameters.blocked_connection_timeout = 5
        pika.BlockingConnection(parameters).close()
    else:
        import psycopg2

        psycopg2.connect(url, connect_timeout=5).close()


def main() -> int:
    url = sys.argv[1]
    host, port = place(url)
    try:
        socket.create_connection((host, port), timeout=3).close()
    except OSError:
        return SILENT
    try:
        enter(url)
    except Exception as error:  # noqa: BLE001 - two libraries, one question: are we let in?
        print(str(error).strip() or type(error).__name__, file=sys.stderr)
        return REFUSED
    return OK


if __name__ == "__main__":
    sys.exit(main())
