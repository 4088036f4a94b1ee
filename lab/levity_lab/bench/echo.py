"""The limit: a worker that does as little as a durable central system can do.

    python -m levity_lab.bench.echo        (AMQP_URL, LEVITY_AMQP_PREFIX, DATABASE_URL)

The same kind of queue, the same transport class, the same order (commit, reply, acknowledge); one
plain INSERT a frame, one COMMIT a batch, canned answers. Whatever Levity needs beyond this is the
price of knowing what the frames mean.
"""

import itertools
import os
import signal
import sys
from typing import Any

import orjson
import psycopg2

from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.rpc.envelope import Accept, Authenticate, Batch, Command, Received, Reply, Send
from levity_ws.rpc.topology import prefix_from_environ, url_from_environ

__all__ = ["TABLE", "answer", "main"]

TABLE = "bench_frame"
_INSERT = f"INSERT INTO {TABLE} (text) VALUES (%s)"  # noqa: S608  # a constant

_ids = itertools.count(1)


def answer(text: str) -> str:
    """A fitting CALLRESULT for this Call, without a look at what it says."""
    _, unique_id, action, _ = orjson.loads(text)
    payload: dict[str, Any] = {}
    if action == "StartTransaction":
        payload = {"transactionId": next(_ids), "idTagInfo": {"status": "Accepted"}}
    elif action in ("Authorize", "StopTransaction"):
        payload = {"idTagInfo": {"status": "Accepted"}}
    elif action == "BootNotification":
        payload = {"status": "Accepted", "currentTime": "2026-01-01T00:00:00.000Z", "interval": 300}
    elif action == "Heartbeat":
        payload = {"currentTime": "2026-01-01T00:00:00.000Z"}
    return orjson.dumps([3, unique_id, payload]).decode()


def take(batch: Batch, database: Any) -> Reply:
    """Insert, commit, and only then answer."""
    commands: list[Command] = []
    with database.cursor() as cursor:
        for event in batch.events:
            if isinstance(event, Received):
                cursor.execute(_INSERT, (event.text,))
                commands.append(Send(event.connection, answer(event.text)))
            elif isinstance(event, Authenticate):
                commands.append(Accept(event.connection, subprotocol="ocpp1.6"))
    database.commit()
    return Reply(tuple(commands), batch.batch)


def main() -> int:
    """Until SIGTERM."""
    database = psycopg2.connect(os.environ["DATABASE_URL"])
    transport = AmqpWorkerTransport(
        url_from_environ(os.environ), prefix=prefix_from_environ(os.environ)
    )
    stopping = False

    def stop(*_: object) -> None:
        nonlocal stopping
        stopping = True
        transport.wake()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)
    while not stopping:
        delivery = transport.receive(1.0)
        if delivery is not None:
            reply = take(delivery.batch, database)
            transport.send(delivery.reply_to, reply)
            transport.ack(delivery)
    transport.close()
    database.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
