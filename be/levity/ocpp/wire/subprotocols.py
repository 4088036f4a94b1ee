"""Which of the names that a charger offers means OCPP 1.6 (OCPP-J 1.6, 3.1.2)."""

from collections.abc import Iterable

__all__ = ["SUBPROTOCOL", "spoken"]

SUBPROTOCOL = "ocpp1.6"
# What chargers call it besides, some in capitals. The answer repeats the name that was offered: a
# websocket client ends the connection at any other one (RFC 6455, 4.1).
ALSO_SPOKEN = frozenset({"ocpp1.6j", "ocpp1.6-j", "ocpp16", "ocpp16j"})


def spoken(offered: Iterable[str]) -> str:
    """The name under which OCPP 1.6 is offered; empty if it is not."""
    also = ""
    for name in offered:
        if name.lower() == SUBPROTOCOL:
            return name
        if not also and name.lower() in ALSO_SPOKEN:
            also = name
    return also
