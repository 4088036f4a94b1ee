"""The queues on the broker, as data: declared word for word the same by the edge and the worker.

RabbitMQ refuses a second declaration with other arguments (406 PRECONDITION_FAILED), so there is
one place that knows them. They work on RabbitMQ 3.10 and 4.x: durable quorum queues only, and an
explicit delivery limit, because 3.10 has none of its own and 4.x has 20.
"""

from collections.abc import Mapping
from string import ascii_letters, digits
from urllib.parse import urlsplit

from levity_ws.environ import value_or_file
from levity_ws.frozen import frozen

__all__ = [
    "DEFAULT_PREFIX",
    "DEFAULT_URL",
    "DELIVERY_LIMIT",
    "OTHERWISE",
    "QueueDeclaration",
    "broker_label",
    "dead_letter_queue",
    "declarations",
    "prefix_from_environ",
    "rpc_queue",
    "url_from_environ",
]

DEFAULT_URL = "amqp://guest:guest@localhost:5672/"
DEFAULT_PREFIX = "levity"
DELIVERY_LIMIT = 20
"""A batch is parked in the dead-letter queue when it comes back more often. The backend marks and
parks the frame that kills workers by the fourth delivery, so this is only the last resort."""

OTHERWISE = (
    "the queue was declared otherwise, by another release: once nothing waits in it "
    "(rabbitmqctl list_queues), delete it with `rabbitmqctl delete_queue NAME`"
)
"""What to do about PRECONDITION_FAILED, for an operator. Nothing is lost: the edges refuse
handshakes until then, and chargers keep what they have."""

_IN_PREFIX = frozenset(ascii_letters + digits + "._-")
_LONGEST_PREFIX = 64


@frozen
class QueueDeclaration:
    """One queue as both sides declare it; always durable, never exclusive, never auto-deleted."""

    name: str
    arguments: Mapping[str, str | int]


def dead_letter_queue(prefix: str = DEFAULT_PREFIX) -> QueueDeclaration:
    """Where batches go that no worker could decode, or that were delivered too often."""
    return QueueDeclaration(name=f"{prefix}.rpc.dead", arguments={"x-queue-type": "quorum"})


def rpc_queue(prefix: str = DEFAULT_PREFIX) -> QueueDeclaration:
    """The one queue from all edges to all workers."""
    return QueueDeclaration(
        name=f"{prefix}.rpc",
        arguments={
            "x-queue-type": "quorum",
            "x-delivery-limit": DELIVERY_LIMIT,
            "x-dead-letter-exchange": "",
            "x-dead-letter-routing-key": dead_letter_queue(prefix).name,
            # At-least-once dead-lettering keeps a batch until the dead-letter queue has it;
            # RabbitMQ wants reject-publish for it (rabbitmq.com, "Quorum queues").
            "x-dead-letter-strategy": "at-least-once",
            "x-overflow": "reject-publish",
        },
    )


def declarations(prefix: str = DEFAULT_PREFIX) -> tuple[QueueDeclaration, ...]:
    """Every queue, in the order in which to declare them: the dead-letter target comes first."""
    return (dead_letter_queue(prefix), rpc_queue(prefix))


def prefix_from_environ(environ: Mapping[str, str]) -> str:
    """LEVITY_AMQP_PREFIX, which lets several Levitys share one virtual host."""
    prefix = environ.get("LEVITY_AMQP_PREFIX") or DEFAULT_PREFIX
    if len(prefix) > _LONGEST_PREFIX or not _IN_PREFIX.issuperset(prefix):
        raise ValueError("LEVITY_AMQP_PREFIX: 1 to 64 letters, digits, '.', '_' or '-'")
    return prefix


def url_from_environ(environ: Mapping[str, str]) -> str:
    """AMQP_URL (or what AMQP_URL_FILE holds), checked.

    The error never repeats the URL, because a password is in it.
    """
    url = value_or_file(environ, "AMQP_URL") or DEFAULT_URL
    broker_label(url)
    return url


def broker_label(url: str) -> str:
    """What may be logged of an AMQP URL: scheme, host, port and virtual host, no credentials."""
    try:
        parts = urlsplit(url)
        port = parts.port or (5671 if parts.scheme == "amqps" else 5672)
        usable = parts.scheme in ("amqp", "amqps") and bool(parts.hostname)
    except ValueError:
        usable = False
    if not usable:
        raise ValueError(
            "AMQP_URL: expected amqp://user:password@host:port/vhost "
            "(special characters in the password percent-encoded)"
        )
    return f"{parts.scheme}://{parts.hostname}:{port}{parts.path or '/'}"
