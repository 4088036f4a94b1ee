"""Close codes have names, and only those that may be sent are."""

import ast
import re
from pathlib import Path

import pytest

from levity_ws.closing import is_sendable

ROOT = Path(__file__).parents[2]
SOURCES = [*ROOT.glob("ws/src/**/*.py"), *ROOT.glob("be/levity/**/*.py")]
# A source without any of these has no close code; to parse the others takes a tenth of the time.
NUMBER = re.compile(r"10_?[01]\d|0[bBoOxX]")
ENDINGS = frozenset({"Close", "LinkClosedError", "Refusal", "close", "disconnected", "hang_up"})


@pytest.mark.parametrize(
    ("code", "may_be_sent"),
    [
        *((code, True) for code in (1000, 1001, 1003, 1008, 1009, 1011, 1012, 1013, 1014)),
        *((code, False) for code in (0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000)),
        *((code, True) for code in (3000, 4999)),
    ],
)
def test_what_a_close_frame_may_carry(code: int, may_be_sent: bool) -> None:
    assert is_sendable(code) is may_be_sent


def bare_codes(source: str) -> list[int]:
    """Lines in which a close code is a number."""
    found: list[int] = []
    for node in ast.walk(ast.parse(source)):
        given: list[ast.AST] = []
        if isinstance(node, ast.Constant) and type(node.value) is int and 1000 < node.value < 1016:
            found.append(node.lineno)
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "attr", None) or getattr(node.func, "id", "")
            given = [*node.args] if name in ENDINGS else []
            given += [item.value for item in node.keywords if item.arg == "code"]
        elif isinstance(node, ast.Compare) and getattr(node.left, "attr", "") == "code":
            given = [*node.comparators]
        elif isinstance(node, ast.AnnAssign) and getattr(node.target, "id", "") == "code":
            given = [node.value] if node.value else []
        elif isinstance(node, ast.arguments):
            named = [*node.posonlyargs, *node.args][-len(node.defaults) :]
            pairs = zip(named, node.defaults, strict=False)
            given = [default for argument, default in pairs if argument.arg == "code"]
        found += [
            item.lineno for item in given if isinstance(item, ast.Constant) and item.value == 1000
        ]
    return found


def test_close_codes_are_named() -> None:
    """`websockets.frames.CloseCode`."""
    assert not {
        f"{path.relative_to(ROOT)}:{line}"
        for path in SOURCES
        if NUMBER.search(text := path.read_text())
        for line in bare_codes(text)
    }


@pytest.mark.parametrize(
    "source",
    [
        "charger.hang_up(1012, 'restarting')",
        "socket.close(1000)",
        "Close(connection, 1000, 'why')",
        "closed.code == 1000",
        "def close(self, code=1000): ...",
        "class Close:\n    code: int = 1000",
        "{'code': 1006}",
    ],
)
def test_a_bare_close_code_is_found(source: str) -> None:
    assert bare_codes(source)
    assert not bare_codes("page(1000)")
