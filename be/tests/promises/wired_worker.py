"""A worker's transport whose wire to the broker can be cut, and what it receives."""

from tests.rabbitmq import AMQP_URL, Queues, TcpProxy

from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.rpc.envelope import Alive, Batch, encode_batch
from tests.system.processes import eventually

__all__ = ["batch", "transport"]


def transport(queues: Queues, wire: TcpProxy, **more: int) -> AmqpWorkerTransport:
    """A worker's transport behind the wire."""
    url = AMQP_URL.rpartition("@")
    path = url[2].partition("/")[2]
    made = AmqpWorkerTransport(
        f"{url[0]}@127.0.0.1:{wire.port}/{path}",
        prefix=queues.prefix,
        pause=lambda failures: 0.05,
        **more,
    )
    assert eventually(lambda: made.connected, True)
    return made


def batch(number: int) -> bytes:
    """A batch that can be told from others."""
    return encode_batch(Batch("edge", f"b{number}", (Alive("", "", number, 1.0),)))
