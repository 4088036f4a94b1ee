"""Makes files for accountants in a process of its own, by the libraries of `levity[accounting]`.

Reads a request a line (JSON) and answers each by a line: `content` in base64, or `problem`, a
sentence for people, with its `words`. What reads XML schemas takes memory that a server on a small
computer would never give back; see ADR "statements are made beside".
"""

import base64
import json
import sys
from collections.abc import Mapping
from typing import Any, BinaryIO

__all__ = ["main"]


def main(source: BinaryIO, target: BinaryIO) -> None:
    """A line in, a line out."""
    for line in source:
        target.write(json.dumps(_answer(json.loads(line))).encode() + b"\n")
        target.flush()


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    from levity.billing.accounting.invoice import Cannot

    try:
        content = _made(request)
    except Cannot as error:
        return {"problem": error.text, "words": error.words}
    except ImportError as error:
        return {"missing": str(error.name)}
    return {"content": base64.b64encode(content).decode()}


def _made(request: Mapping[str, Any]) -> bytes:
    if request["what"] == "debit":
        from levity.billing.accounting.debit import debit_of

        return debit_of(request)
    from levity.billing.accounting import cii
    from levity.billing.accounting.invoice import invoice_of, lacks_for_xrechnung
    from levity.billing.statements.texts import TEXTS, language_of

    texts = TEXTS[language_of(request["document"])]
    names = {
        name.removeprefix("kind "): text for name, text in texts.items() if name.startswith("kind ")
    }
    invoice = invoice_of(request["document"], names, request["seller"], request["buyer"])
    if request["what"] == "xrechnung":
        lacks_for_xrechnung(invoice)
        return cii.cii_of(invoice, cii.XRECHNUNG)
    return cii.in_pdf(base64.b64decode(request["pdf"]), cii.cii_of(invoice, cii.EN16931), invoice)


if __name__ == "__main__":
    main(sys.stdin.buffer, sys.stdout.buffer)
