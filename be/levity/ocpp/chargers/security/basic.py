"""The Authorization header of a charger: HTTP Basic (RFC 7617), read as bytes."""

import base64
import binascii

from levity_ws.frozen import frozen

__all__ = ["Basic", "read_basic"]


@frozen
class Basic:
    """What a charger says of itself. The password is a secret: never in a log or a repr."""

    username: str
    """For people: what of it can be printed."""
    is_identity: bool
    """True if the user name is the identity in the URL (OCPP-J 1.6, 6.2.2)."""
    password: bytes

    def __repr__(self) -> str:
        return f"Basic({self.username!r}, ***)"


def read_basic(header: str, identity: str) -> Basic | None:
    """The credentials in this header; None where it is not readable as Basic.

    The password may hold any bytes, colons too. The identity may hold colons as well, although
    RFC 7617 wants none in a user name: so the identity is looked for first.
    """
    scheme, _, encoded = header.strip().partition(" ")
    if scheme.lower() != "basic":
        return None
    encoded = encoded.strip()
    try:
        # Some chargers leave the padding out.
        decoded = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    expected = identity.encode() + b":"
    if decoded[: len(expected)].lower() == expected.lower():
        return Basic(identity, True, decoded[len(expected) :])
    username, colon, password = decoded.partition(b":")
    if not colon:
        return None
    printable = "".join(
        sign if sign.isprintable() else "?" for sign in username.decode("utf-8", "replace")
    )
    return Basic(printable[:48], False, password)
