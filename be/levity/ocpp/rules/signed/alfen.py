"""Alfen's format: `AP;kind;3;key;data;signature;` in base32, with a meter's 82 bytes.

The kind is 0 at the start, 1 at the stop, 2 in between. It is not signed.

Layout of the 82 bytes by Alfen's public description: adapter 0-9, firmware 10-13, adapter checksum
14-15, meter 16-25, status 26-29, second index 30-33, Unix time 34-37, OBIS 38-43, unit 44, scaler
45, value 46-53 (little endian), identification 54-73, session 74-77, page 78-81.
"""

import base64
import binascii
from datetime import UTC, datetime
from decimal import Decimal

from levity.ocpp.rules.signed.keys import key_of
from levity.ocpp.rules.signed.readings import BadData, Signed, SignedReading

__all__ = ["key_in", "read", "verify"]

LENGTH = 82
WATT_HOURS = 30
"""DLMS/COSEM's number of the unit."""
KEY, DATA, SIGNATURE = 3, 4, 5
KINDS = {"0": "B", "1": "E", "2": "C"}
"""In the words of OCMF."""


def read(text: str) -> Signed:
    """What it says; raises `BadData`."""
    data = _part(text, DATA)
    if len(data) != LENGTH:
        raise BadData(f"its data has {len(data)} bytes instead of {LENGTH}")
    seconds = int.from_bytes(data[34:38], "little")
    scaler = int.from_bytes(data[45:46], "little", signed=True)
    value = int.from_bytes(data[46:54], "little", signed=True)
    is_energy = data[44] == WATT_HOURS and -9 <= scaler <= 9
    obis = data[38:44]
    reading = SignedReading(
        datetime.fromtimestamp(seconds, UTC),
        is_synchronised=True,
        kind=KINDS.get(text.split(";")[1].strip(), ""),
        obis=f"{obis[0]}-{obis[1]}:{obis[2]}.{obis[3]}.{obis[4]}*{obis[5]}",
        wh=Decimal(value).scaleb(scaler) if is_energy else None,
        is_good=True,
    )
    return Signed(
        data[16:26].hex().upper(),
        str(int.from_bytes(data[78:82], "little")),
        data[54:74].rstrip(b"\0").decode("ascii", "replace"),
        (reading,),
    )


def key_in(text: str) -> str:
    """The key that it carries along, in hexadecimal digits: a claim. Raises `BadData`."""
    return _part(text, KEY).hex()


def verify(text: str, public_key: str) -> bool:
    """Whether the signature is that of this key. Raises `BadKey` and `BadData`."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

    data, signature = _part(text, DATA), _part(text, SIGNATURE)
    half = len(signature) // 2
    if half == 0:
        raise BadData("there is no signature")
    r, s = (int.from_bytes(each, "big") for each in (signature[:half], signature[half:]))
    key = key_of(public_key)
    if not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadData("its key is of a kind that Alfen's meters have not")
    try:
        key.verify(encode_dss_signature(r, s), data, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature:
        return False
    return True


def _part(text: str, place: int) -> bytes:
    parts = "".join(text.split()).split(";")
    if len(parts) <= SIGNATURE or parts[0] != "AP":
        raise BadData("it is no AP;…;")
    bare = parts[place].rstrip("=")
    try:
        return base64.b32decode(bare + "=" * (-len(bare) % 8))
    except (binascii.Error, ValueError) as error:
        raise BadData("a part of it is no base32") from error
