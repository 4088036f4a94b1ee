"""OCMF, the Open Charge Metering Format 1.x: `OCMF|payload|signature`.

The signature is over the payload's bytes as they stand between the bars, so they are never written
anew. A reading inherits what it leaves out from the one before it.
"""

import base64
import binascii
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from levity.ocpp.rules.signed.keys import key_of
from levity.ocpp.rules.signed.readings import BadData, Signed, SignedReading

__all__ = ["curve_of", "read", "verify"]

DEFAULT = "ECDSA-secp256r1-SHA256"
TIMES = "%Y-%m-%dT%H:%M:%S,%f%z"
UNITS = {"wh": 1, "kwh": 1000, "mwh": 1_000_000}
MOST_READINGS = 1_000


def read(text: str) -> Signed:
    """What it says; raises `BadData`."""
    payload, _ = _parts(text)
    try:
        said = json.loads(payload, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        raise BadData("its payload is no JSON") from error
    if not isinstance(said, dict):
        raise BadData("its payload is no JSON object")
    given = said.get("RD")
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    return Signed(
        _text(said.get("MS")) or _text(said.get("GS")),
        _text(said.get("PG")),
        _text(said.get("ID")),
        tuple(_readings(rows[:MOST_READINGS])),
    )


def verify(text: str, public_key: str) -> bool:
    """Whether the signature is that of this key. Raises `BadKey`, and `BadData` if there is no
    signature that could be."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric import ec, padding
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    payload, section = _parts(text)
    algorithm, signature = _signature(section)
    digest = _digest(algorithm)
    key = key_of(public_key, curve_of(text))
    data = payload.encode()
    try:
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, data, ec.ECDSA(digest))
        elif isinstance(key, RSAPublicKey):
            key.verify(signature, data, padding.PKCS1v15(), digest)
        else:
            raise BadData("its key is of a kind that OCMF has not")
    except InvalidSignature:
        return False
    return True


def curve_of(text: str) -> str:
    """Of the key, as the algorithm names it; raises `BadData`."""
    algorithm, _ = _signature(_parts(text)[1])
    parts = algorithm.split("-")
    return parts[1] if len(parts) == 3 else ""


def _parts(text: str) -> tuple[str, str]:
    """(payload, signature) as they stand."""
    head, _, rest = text.partition("|")
    payload, bar, section = rest.rpartition("|")
    if head != "OCMF" or not bar:
        raise BadData("it is no OCMF|…|…")
    return payload, section


def _signature(section: str) -> tuple[str, bytes]:
    """(algorithm, bytes of the signature)."""
    try:
        said = json.loads(section)
    except (ValueError, RecursionError) as error:
        raise BadData("its signature is no JSON") from error
    if not isinstance(said, dict) or not isinstance(said.get("SD"), str):
        raise BadData("there is no signature (SD)")
    data = said["SD"].strip()
    try:
        if str(said.get("SE", "hex")).lower() == "base64":
            return str(said.get("SA", DEFAULT)), base64.b64decode(data, validate=True)
        return str(said.get("SA", DEFAULT)), bytes.fromhex(data)
    except (binascii.Error, ValueError) as error:
        raise BadData("its signature (SD) is not what its encoding says") from error


def _digest(algorithm: str) -> Any:
    from cryptography.hazmat.primitives import hashes

    known: dict[str, Any] = {
        "SHA256": hashes.SHA256,
        "SHA384": hashes.SHA384,
        "SHA512": hashes.SHA512,
    }
    found = known.get(algorithm.rpartition("-")[2].upper())
    if found is None:
        raise BadData(f"its algorithm {algorithm[:40]!r} is not supported here")
    return found()


def _readings(rows: Sequence[Mapping[str, Any]]) -> Iterator[SignedReading]:
    known: dict[str, Any] = {}
    for row in rows:
        known.update(row)
        said = _text(known.get("TM"))
        moment, _, status = said.partition(" ")
        yield SignedReading(
            _moment(moment),
            status.strip() in ("S", "R"),
            _text(known.get("TX")),
            _text(known.get("RI")),
            _wh(known.get("RV"), _text(known.get("RU"))),
            # EF names what may be wrong: E the energy, t the time.
            _text(known.get("ST", "G")) == "G" and "E" not in _text(known.get("EF")),
        )


def _moment(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, TIMES).astimezone(UTC)
    except (OverflowError, ValueError):
        return None


def _wh(value: Any, unit: str) -> Decimal | None:
    factor = UNITS.get(unit.strip().lower())
    if factor is None or isinstance(value, bool):
        return None
    try:
        found = Decimal(str(value).strip())
    except InvalidOperation:
        return None
    return found * factor if found.is_finite() and abs(found) < Decimal(10) ** 15 else None


def _text(value: Any) -> str:
    return str(value)[:255] if isinstance(value, str | Decimal) else ""
