"""Texts made to be slow to read: every character is read a fixed number of times (ATTACK.md A1-A4).

How the time grows is measured, not how long anything takes: eight times the text may cost eight
times as much, and with all noise not twenty-four times. What tries again what it has read costs
sixty-four times as much.
"""

import ast
import json
import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from levity.ocpp.chargers.quirks.patterns import BadPattern, fits
from levity.ocpp.chargers.quirks.shipped import SHIPPED
from levity.ocpp.chargers.security.certificates import CertificateError, read_csr
from levity.ocpp.chargers.security.concealment import (
    LONGEST_TOLD,
    secrets_in,
)
from levity.ocpp.chargers.security.keys import canonical
from levity.ocpp.conversation.lines import Line, head_of, written
from levity.ocpp.conversation.script import Times, TransactionIds
from levity.ocpp.v16.schemas import SCHEMAS
from levity.ocpp.versions import V16
from levity.ocpp.wire.fields import decimal_of, time_of
from levity.ocpp.wire.frames import OcppError, parse
from levity.ocpp.wire.masking import Anonymiser, without_secrets
from levity.ocpp.wire.private import is_secret
from levity.pages.chargers.frame_text import frame_excerpt, pretty_frame, pretty_value
from levity_ws.edge.target import identity_in_path, is_identity, target_path
from tests.few import few
from tests.ocpp.charger import NOW

ROOT = Path(__file__).parents[3]
TIMES, AT_MOST = 8, 24.0
LEAST, MOST = 16 * 1024, 1024 * 1024
"""Characters: what is fast enough is measured with more."""
SHORTEST = 0.002
"""Seconds below which a time says nothing."""

PIECES = (
    *("wifi", "wi-fi", "pass", "bypass", "wpa_key", "sim", "authorization_"),
    *(":", ":g", "a:", "1.", "1.1.1.1", "00:", "00:1a:2b:3c:4d:5e-", "f", "::1 ", "48.1371,"),
    *('"', '\\"', "\\", "\\\\", "\\u", "\\ud83d", "\\ud83d\\ude00", "\\u0000", "\x00"),
    *("[", "]", "[]", "{", "{}", '{"a":', '{"key":"wifi","value":"x"},', '"key":"k",', '"a":1,'),
    *(
        "://",
        "://a",
        "@",
        "a@",
        "a@b.",
        "://@",
        " ",
        "\t",
        "\n",
        "\u2003",
        "ß",
        "İ",
        "9",
        "-",
        "e1",
    ),
    *('"transactionId":', '"transactionId" ', '"timestamp":"', "AAAAAA", "GRS-18", "04"),
    "-----BEGIN CERTIFICATE REQUEST-----",
)
# One of each: secret words, addresses, hardware addresses, coordinates, quotation marks, escapes,
# brackets, members, URLs, white space, letters that grow, digits, serial numbers, certificates.
SHAPES = (
    *("wifi", ":", "1.1.1.1", "00:1a:2b:3c:4d:5e-", "48.1371,", '"', "\\u", "[", '{"a":'),
    *('"key":"k",', "://a", "a@", "\t", "İ", "9", "GRS-18", "-----BEGIN CERTIFICATE REQUEST-----"),
)


def call(payload: Any) -> str:
    """A DataTransfer with this in it."""
    return json.dumps([2, "1", "DataTransfer", payload], ensure_ascii=False)


WRAPPED: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "behind a head": lambda text: f'[2,"1","DataTransfer",{{"password":"x","{text}',
    "between quotes": lambda text: f'[2,"1","DataTransfer",{{"password":"x","data":"{text}"}}]',
    "a name": lambda text: call({text: "x", "password": "y"}),
    "a value": lambda text: call({"vendorId": "X", "data": text, "password": "y"}),
    "a key": lambda text: json.dumps([3, "1", {"configurationKey": [{"key": text, "value": "v"}]}]),
    "JSON in a string": lambda text: call({"data": f'{{"password":"x","{text}":"1"}}'}),
    "a serial number": lambda text: call({"chargePointSerialNumber": text}),
}


def _learned() -> Anonymiser:
    anonymiser = Anonymiser(b"a fixed key")
    anonymiser.learn(f"{'A' * length}{length}" for length in range(6, 40))
    anonymiser.learn(f"GRS-18400{number:05}" for number in range(1000))
    return anonymiser


LEARNED = _learned()
READERS: dict[str, Callable[[str], object]] = {
    "parse": parse,
    "without_secrets": without_secrets,
    "anonymised frame": LEARNED.frame,
    "anonymised words": LEARNED.words,
    "pseudonym": LEARNED.pseudonym,
    "is_secret": is_secret,
    "written": lambda text: written(Line(NOW, sender="charge_point", text=text)),
    "head_of": head_of,
    "transaction ids": lambda text: TransactionIds().translated(text),
    "times": lambda text: Times().translated(text, NOW, NOW),
    "stored_answer": lambda text: V16.calls.stored_answer("GetConfiguration", text),
    "conceal": lambda text: V16.calls.conceal("DataTransfer", {text: text}),
    "secrets_in": lambda text: secrets_in({"location": text, text: text}),
    "page": pretty_frame,
    "excerpt": frame_excerpt,
    "JSON on a page": lambda text: pretty_value({text: text}),
    "decimal_of": decimal_of,
    "time_of": time_of,
    "schema": lambda text: SCHEMAS.check("StatusNotification", {"timestamp": text, text: text}),
    "location": lambda text: SCHEMAS.check("GetDiagnostics", {"location": text}),
    "is_identity": is_identity,
    "identity_in_path": identity_in_path,
    "target_path": target_path,
    "csr": lambda text: read_csr(text, text),
    "key": lambda text: canonical(text.encode("utf-8", "replace")),
    "quirks": lambda text: [
        fits(pattern, text)
        for item in SHIPPED
        for pattern in (item.vendor, item.model, item.firmware)
    ],
}
# What reads a whole frame, with a text at each place in it; the others read one field.
OF_FRAMES = ("parse", "without_secrets", "anonymised frame", "written", "page", "stored_answer")


def seconds(reader: Callable[[str], object], text: str) -> float:
    """Of this thread's CPU."""
    begun = time.thread_time()
    with suppress(OcppError, CertificateError):
        reader(text)
    return time.thread_time() - begun


def growth(
    reader: Callable[[str], object], wrap: Callable[[str], str], piece: str, size: int = LEAST
) -> float:
    """How many times as much eight times the text costs; three tries, for the noise."""
    while (big := seconds(reader, wrap(piece * (size // len(piece))))) < SHORTEST and size < MOST:
        size *= TIMES
    found = [AT_MOST + 1]
    for _ in range(3):
        small = seconds(reader, wrap(piece * (size // TIMES // len(piece))))
        found.append(big / max(small, SHORTEST / TIMES))
        if found[-1] <= AT_MOST:
            break
        big = seconds(reader, wrap(piece * (size // len(piece))))
    return min(found)


@pytest.mark.slow
@pytest.mark.parametrize("piece", few(PIECES, *SHAPES), ids=ascii)
def test_eight_times_the_text_costs_eight_times_the_time(piece: str) -> None:
    """A key of 120 kB `wifiwifi…` held every charger up for minutes (A1), 10 kB `:` an export for
    eighty (A3)."""
    slow = {}
    for name, reader in READERS.items():
        for place, wrap in WRAPPED.items():
            if place == "as it is" or name in OF_FRAMES:
                grown = growth(reader, wrap, piece)
                if grown > AT_MOST:
                    slow[name, place] = grown
    assert slow == {}


@pytest.mark.slow
@pytest.mark.parametrize(
    "piece",
    few(["\\u", '\\"', '"', '"key":"k",', "://a", "a@", "[]", "1."], "\\u", '"key":"k",', "://a"),
)
def test_half_a_mebibyte_shows_what_is_searched_again_and_again(piece: str) -> None:
    """`find` over all that follows is fast, and slow when it is done for every escape."""
    for reader in (parse, without_secrets, LEARNED.frame):
        for wrap in (WRAPPED["behind a head"], WRAPPED["between quotes"]):
            assert growth(reader, wrap, piece, 512 * 1024) <= AT_MOST


def test_a_page_shows_the_beginning_of_a_long_frame_and_says_where_the_rest_is() -> None:
    """8 MiB are a frame, and no page; secrets are masked up to the cut."""
    frame = call({"password": "s3cret", "data": "x" * 8_000_000})
    shown = pretty_frame(frame)
    assert len(shown) < 70_000
    assert "s3cret" not in shown
    assert f"{len(frame):,} characters" in shown
    assert "Conversation" in shown


FORBIDDEN = {"re", "regex", "sre_compile"}


def test_no_module_imports_regular_expressions() -> None:
    """Nor by another name: what meets no text of others today does tomorrow."""
    found = []
    for path in (*ROOT.glob("be/levity/**/*.py"), *ROOT.glob("ws/src/**/*.py")):
        text = path.read_text()
        if not FORBIDDEN & set(re.findall(r"\w+", text)):
            continue
        for node in ast.walk(ast.parse(text)):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            if FORBIDDEN & set(names):
                found.append(str(path.relative_to(ROOT)))
    assert found == []


@pytest.mark.parametrize(
    ("pattern", "text", "expected"),
    [
        ("United ?Chargers|UC$", "unitedchargers", True),
        ("United ?Chargers|UC$", "UC", True),
        ("United ?Chargers|UC$", "UCX", False),
        (".*Mini", "Grizzl-E mini", True),
        ("EN\\+|EN Plus", "EN+", True),
        ("EN\\+|EN Plus", "ENN", False),
        ("v[0-9]+(-rc[0-9]+)?$", "V12-RC3", True),
        ("v[0-9]+(-rc[0-9]+)?$", "V12-RC", False),
        ("[^a-f]x", "gx", True),
        ("", "anything", True),
        ("a*a*a*a*a*a*a*a*a*a*a*a*b", "a" * 200, False),
    ],
)
def test_a_quirk_pattern_is_read_as_people_write_it(
    pattern: str, text: str, expected: bool
) -> None:
    """As a regular expression from the start, case ignored."""
    assert fits(pattern, text) is expected


@pytest.mark.parametrize("pattern", ["(", ")", "*", "a**", "(a+)+", "[", "[]", "\\d", "a" * 201])
def test_what_a_quirk_pattern_may_not_hold_is_said(pattern: str) -> None:
    """A group that comes again and again is what no text may meet."""
    with pytest.raises(BadPattern):
        fits(pattern, "a")


def test_an_answer_that_is_too_long_to_be_searched_is_not_kept() -> None:
    """A GetConfiguration answered with 8 MiB of `"key":[1,1,…` took 19 s to look through."""
    long = '{"key":"AuthorizationKey","value":"hush","more":"' + "x" * LONGEST_TOLD + '"}'
    kept = json.loads(V16.calls.stored_answer("GetConfiguration", long))
    assert kept == {"cut": f"{len(long)} characters, too long to search for secrets: not stored"}
    assert V16.calls.stored_answer("GetCompositeSchedule", long) == long
    assert '"hush"' not in V16.calls.stored_answer("GetConfiguration", long[:200])
