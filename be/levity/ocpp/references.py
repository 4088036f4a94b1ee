"""What a message points to, in any version of OCPP: it is loaded before the handler runs."""

import hashlib
from collections.abc import Mapping
from typing import Any

import orjson

from levity_ws.frozen import frozen

__all__ = ["References", "payload_hash"]


@frozen
class References:
    """What a Call's payload points to; None and "" where it points to nothing."""

    id_tag: str = ""
    transaction_id: int | None = None
    start: Mapping[str, Any] | None = None
    """A StartTransaction's payload."""
    needs_connectors: bool = False
    needs_new_id: bool = False
    needs_chain: bool = False
    """It begins or ends a session: those that lie near are needed, too."""
    has_samples: bool = False
    """It tells samples: the sessions that lie near are needed unless the one they name runs."""
    told_at: Any = None
    """The time in the message, as it came."""
    needs_signing: bool = False
    """It asks for a certificate."""
    payload_hash: str = ""
    """Of a StartTransaction: what it is recognised by if it has to be quarantined."""


def payload_hash(payload: Any) -> str:
    """What a payload is recognised by when it comes again, whatever the order of its keys."""
    return hashlib.sha256(orjson.dumps(payload, option=orjson.OPT_SORT_KEYS)).hexdigest()
