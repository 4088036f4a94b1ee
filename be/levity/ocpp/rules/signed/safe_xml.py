"""The XML that the transparency software of S.A.F.E. e.V. reads: values with their keys.

It is only written here, never read.
"""

from collections.abc import Iterable, Mapping
from xml.sax.saxutils import escape, quoteattr

from levity.ocpp.rules.signed.containers import ALFEN, OCMF
from levity.ocpp.rules.signed.verdict import Judged

__all__ = ["safe_xml"]

FORMATS = {OCMF: "OCMF", ALFEN: "ALFEN"}
# XML 1.0, 2.2: other control characters can't stand in a document at all, not even escaped.
ALLOWED = frozenset((9, 10, 13))


def safe_xml(sessions: Iterable[tuple[int, Iterable[Judged]]]) -> str:
    """All signed data of these sessions (by their number), byte for byte, in their order."""
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', "<values>"]
    for number, values in sessions:
        for value in values:
            lines.append(_value(number, value))
    return "\n".join([*lines, "</values>", ""])


def _value(number: int, value: Judged) -> str:
    container = value.container
    about = {"transactionId": str(number), "context": value.context}
    of_data = {
        "format": FORMATS.get(container.format, ""),
        "encoding": "hex" if container.method == "binary" else "plain",
    }
    key = value.key or container.public_key
    parts = _element("signedData", of_data, escape(_clean(container.text)))
    if key:
        spelt = {"encoding": "hex" if _is_hex(key) else "base64"}
        parts += _element("publicKey", spelt, escape(_clean(key)))
    return _element("value", about, parts)


def _element(name: str, attributes: Mapping[str, str], content: str) -> str:
    """`content` is markup already; attributes that are empty are left out."""
    told = [f" {key}={quoteattr(_clean(value))}" for key, value in attributes.items() if value]
    return f"<{name}{''.join(told)}>{content}</{name}>"


def _is_hex(text: str) -> bool:
    try:
        return bool(bytes.fromhex(text))
    except ValueError:
        return False


def _clean(text: str) -> str:
    return "".join(sign if _is_allowed(ord(sign)) else "\ufffd" for sign in text)


def _is_allowed(code: int) -> bool:
    if code < 32:
        return code in ALLOWED
    return not 0xD800 <= code <= 0xDFFF and code not in (0xFFFE, 0xFFFF)
