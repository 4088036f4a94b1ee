"""Public keys of meters, as people and chargers write them.

A point of a curve alone has no name: its length and the signature's algorithm say which curve.
`cryptography` is loaded when there is something to verify, and not before.
"""

import base64
import binascii
from typing import Any

__all__ = ["BadKey", "key_of", "same_key"]

# oca:<encoding>:<format>:<key> (OCA application note, 3.2.1), mostly wrapped in base64.
PREFIX = "oca:"
LONGEST = 4_000
# Bytes of a compressed point -> the curve, where the algorithm does not say.
BY_LENGTH = {25: "secp192r1", 33: "secp256r1", 49: "secp384r1"}
CURVES = {
    "secp192r1": "SECP192R1",
    "secp256r1": "SECP256R1",
    "prime256v1": "SECP256R1",
    "secp256k1": "SECP256K1",
    "secp384r1": "SECP384R1",
    "secp521r1": "SECP521R1",
    "brainpoolp256r1": "BrainpoolP256R1",
    "brainpool256r1": "BrainpoolP256R1",
    "brainpoolp384r1": "BrainpoolP384R1",
    "brainpool384r1": "BrainpoolP384R1",
}


class BadKey(ValueError):
    """A text that is no public key; says why, for people."""


def key_of(text: str, curve: str = "") -> Any:
    """The key: DER or PEM, a point of a curve, hexadecimal or base64, or the OCA's text.

    `curve`: of a point alone, as an algorithm names it. Raises `BadKey`.
    """
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.serialization import load_der_public_key

    data = _bytes_of(text)
    try:
        if data[:1] == b"0":
            return load_der_public_key(data)
        if len(data) in (48, 64, 96):
            # Both coordinates without the mark that they are uncompressed.
            data = b"\x04" + data
        named = curve or BY_LENGTH.get(len(data), BY_LENGTH.get((len(data) + 1) // 2, ""))
        return EllipticCurvePublicKey.from_encoded_point(_curve(named), data)
    except UnsupportedAlgorithm as error:
        raise BadKey("its curve is one that is not supported here (such as secp192k1)") from error
    except ValueError as error:
        raise BadKey("it is no public key") from error


def same_key(one: str, other: str, curve: str = "") -> bool:
    """Whether two texts are the same key; False if one is none."""
    try:
        first, second = (key_of(each, curve) for each in (one, other))
    except BadKey:
        return False
    return bool(first == second)


def _curve(name: str) -> Any:
    from cryptography.hazmat.primitives.asymmetric import ec

    known = CURVES.get(name.lower().replace("-", ""))
    if known is None:
        raise BadKey(f"its curve {name[:40]!r} is not supported here")
    return getattr(ec, known)()


def _bytes_of(text: str) -> bytes:
    if not text.strip():
        raise BadKey("there is none")
    if len(text) > LONGEST:
        raise BadKey("it is too long")
    lines = [line for line in text.splitlines() if not line.startswith("-----")]
    dense = "".join("".join(lines).split())
    for _ in range(2):
        if dense.lower().startswith(PREFIX):
            dense = dense.rpartition(":")[2]
        data = _decoded(dense)
        if data[:4].lower() != PREFIX.encode():
            return data
        dense = data.decode("ascii", "replace")
    raise BadKey("it is no public key")


def _decoded(dense: str) -> bytes:
    try:
        return bytes.fromhex(dense)
    except ValueError:
        pass
    try:
        return base64.b64decode(dense, validate=True)
    except (binascii.Error, ValueError):
        raise BadKey("it is neither hexadecimal digits nor base64") from None
