"""What a worker sees of a real broker: batches that wait, and batches that nobody could read."""

import time
from collections.abc import Iterator

import pika
import pytest
from tests.rabbitmq import AMQP_URL, Queues, isolated_queues

from levity.monitoring.models import Worker
from levity.monitoring.worker_threads import Pulse
from levity.run.amqp.transport import AmqpWorkerTransport
from levity_ws.rpc.topology import dead_letter_queue, rpc_queue
from tests.ocpp.charger import NOW
from tests.system.processes import eventually

pytestmark = [pytest.mark.services, pytest.mark.django_db]


@pytest.fixture
def queues() -> Iterator[Queues]:
    with isolated_queues() as isolated:
        yield isolated


def test_the_depths_are_the_brokers_own(queues: Queues) -> None:
    transport = AmqpWorkerTransport(AMQP_URL, prefix=queues.prefix)
    connection = pika.BlockingConnection(pika.URLParameters(AMQP_URL))
    try:
        assert eventually(lambda: transport.depths(5.0), (0, 0)) == (0, 0)
        channel = connection.channel()
        channel.confirm_delivery()
        # The worker holds one that it never takes; the others wait for the next.
        channel.basic_publish("", rpc_queue(queues.prefix).name, b"not an envelope")
        channel.basic_publish("", dead_letter_queue(queues.prefix).name, b"one")
        assert eventually(lambda: transport.depths(5.0), (0, 2)) == (0, 2)
        pulse = Pulse(beat=time.monotonic, transport=lambda: transport)
        pulse.sign(NOW)
        assert Worker.objects.get().report["dead_letters"] == 2
        assert pulse.readiness().checks == dict.fromkeys(
            ("database", "migrations", "worker", "broker"), ""
        )
    finally:
        connection.close()
        transport.close()
    assert transport.depths(1.0) is None


def test_a_worker_that_hangs_gives_no_sign(queues: Queues) -> None:
    transport = AmqpWorkerTransport(AMQP_URL, prefix=queues.prefix)
    try:
        pulse = Pulse(beat=lambda: time.monotonic() - 31, transport=lambda: transport)
        pulse.sign(NOW)
        assert Worker.objects.count() == 0
        assert pulse.readiness().checks["worker"] == "the worker loop has been stuck for 30 s"
    finally:
        transport.close()
