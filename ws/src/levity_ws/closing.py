"""Which close codes a Close frame may carry (RFC 6455, 7.4)."""

from websockets.frames import CloseCode

__all__ = ["is_sendable"]

# 7.4.1: these mean that no Close frame arrived, or one without a code, or that TLS failed.
UNSENDABLE = frozenset(
    {CloseCode.NO_STATUS_RCVD, CloseCode.ABNORMAL_CLOSURE, CloseCode.TLS_HANDSHAKE}
)
REGISTERED = frozenset(CloseCode)


def is_sendable(code: int) -> bool:
    """False for codes that only describe how a connection ended, and for undefined numbers.

    3000 to 4999 are for libraries and applications (7.4.2).
    """
    return (code in REGISTERED and code not in UNSENDABLE) or 3000 <= code <= 4999
