"""Signed values made for tests, with keys of their own; and a pair of Alfen's."""

import base64
import json
from datetime import UTC, datetime
from functools import cache
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

AT = datetime(2026, 11, 3, 12, tzinfo=UTC)
# Of the public simulator of EVBox (github.com/evbox/station-simulator, Apache License 2.0).
ALFEN_BEGIN = (
    "AP;0;3;ALCV3ABBBISHMA2RYEGAZE3HV5YQBQRQAEHAR2MN;BIHEIWSHAAA2W2V7OYYDCNQAAAFACRC2I4ADGAETI4"
    "AAAABAOOJYUAGMXEGV4AIAAEEAB7Y6AAO3EAIAAAAAAABQGQ2UINJZGZATGMJTGQ4DAAAAAAAAAACXAAAABKYAAAAA"
    "====;R7KGQ3CEYTZI6AWKPOA42MXJTGBW27EUE2E6X7J77J5WMQXPSOM3E27NMVM2D77DPTMO3YACIPTRI===;"
)
ALFEN_END = (
    "AP;1;3;ALCV3ABBBISHMA2RYEGAZE3HV5YQBQRQAEHAR2MN;BIHEIWSHAAA2W2V7OYYDCNQAAAFACRC2I4ADGAETI4"
    "AAAAAQHCKIUAETXIGV4AIAAEEAB7Y6ACT3EAIAAAAAAABQGQ2UINJZGZATGMJTGQ4DAAAAAAAAAACXAAAABLAAAAAA"
    "====;HIWX6JKGDO3JARYVAQYKJO6XB7HFLMLNUUCDBOTWJFFC7IY3VWZGN7UPIVA26TMTK4S2GVXJ3BD4S===;"
)
ALFEN = (ALFEN_BEGIN, ALFEN_END)
ALFEN_KEY = "02c55d80210a24760351c10c0c9367af7100c230010e08e98d"


@cache
def private_key(name: str, curve: str) -> ec.EllipticCurvePrivateKey:
    """One for each name."""
    return ec.generate_private_key(getattr(ec, curve)())


def public_key(name: str = "meter", curve: str = "SECP256R1") -> str:
    """Of that one, as it stands on meters."""
    key = private_key(name, curve).public_key()
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo).hex()


def reading(kind: str, kwh: str, **values: Any) -> dict[str, Any]:
    """A reading of OCMF."""
    said = {"TM": "2026-11-03T12:00:00,000+0000 S", "TX": kind, "RV": kwh}
    return {**said, "RI": "01-00:98.08.00.FF", "RU": "kWh", "ST": "G"} | values


def ocmf_text(
    *readings: dict[str, Any], by: str = "meter", meter: str = "1EMH0001", **values: Any
) -> str:
    """`OCMF|…|…` with these readings, signed by the key of this name."""
    said = {"FV": "1.0", "MS": meter, "PG": "T1", "RD": list(readings)} | values
    payload = json.dumps(said, indent=1)
    signature = private_key(by, "SECP256R1").sign(payload.encode(), ec.ECDSA(hashes.SHA256()))
    return f"OCMF|{payload}|{json.dumps({'SD': signature.hex()})}"


def wrapped(text: str, key: str = "", method: str = "OCMF") -> str:
    """As the OCA's note has it."""
    said = {"signedMeterData": base64.b64encode(text.encode()).decode(), "encodingMethod": method}
    if key:
        named = base64.b64encode(f"oca:base16:asn1:{key}".encode()).decode()
        said |= {"publicKey": named, "signingMethod": ""}
    return json.dumps(said)
