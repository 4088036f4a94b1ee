"""JSON with a small mistake, put right where there is one way to read it: pure, and one pass.

Firmware builds JSON by hand. A comma before the first element (BENY), one behind the last, a raw
NUL or line break within a string (Wallbe), NULs behind the end: what is meant is not in doubt.
Where a value itself is missing (`"transactionId":,`, AEFA) or the rest of the frame (Grizzl-E),
nobody can tell, and nothing is guessed.
"""

from levity.ocpp.wire.scanning import json_tokens

__all__ = ["repaired"]

MOST_TOKENS = 2_000_000
"""A StopTransaction of 8 MiB has 1.6 million. 8 MiB of signs alone would keep everybody waiting for
longer than a frame may take."""
DEEPEST = 100
"""As deep as a frame may be."""
_CONTROLS = {number: f"\\u{number:04x}" for number in range(0x20)}
_OPENS, _CLOSES = {"{": "}", "[": "]"}, "]}"
# What comes next in a list or an object.
_FIRST, _VALUE, _COMMA, _KEY, _COLON = "first", "value", "comma", "key", "colon"
# OCPP-J 1.6, 4.2: so many elements has a frame of this type.
_ELEMENTS = {"2": 4, "3": 3, "4": 5}


def repaired(text: str, most_tokens: int = MOST_TOKENS) -> tuple[str, str] | None:
    """The frame as it was meant, and what was wrong with it; None where that can't be told."""
    repair = _Repair()
    for count, (start, end) in enumerate(json_tokens(text)):
        if count >= most_tokens or not repair.take(text[start:end]):
            return None
    if not repair.is_whole() or not repair.found:
        return None
    return "".join(repair.parts), ", ".join(repair.found)


class _Repair:
    """Reads tokens one after the other; `take` is False where the meaning ends."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.found: dict[str, None] = {}
        self._open: list[str] = []
        """The ends of the lists and objects that are open."""
        self._next = _VALUE
        self._comma_due = False
        self._elements = 0
        self._kind = ""
        self._closed = False

    def take(self, piece: str) -> bool:
        """True if this piece has its place."""
        if piece[0] != '"':
            if piece[0] == "\ufeff" or piece[0] < " ":
                piece = piece.strip("\ufeff" + "".join(map(chr, _CONTROLS)))
                self._note("control characters between its parts")
            if not piece:
                return True
        if self._closed:
            self._note("closing brackets too many")
            return piece in _CLOSES
        if piece == ",":
            return self._take_comma()
        if piece in ("]", "}"):
            return self._close(piece)
        if piece == ":":
            good, self._next = self._next == _COLON, _VALUE
            self.parts.append(piece)
            return good
        return self._take_value(piece)

    def is_whole(self) -> bool:
        """True at the end of the frame; its own bracket may be missing where nothing else is."""
        if self._closed:
            return True
        if self._open != ["]"] or self._next != _COMMA or self._comma_due:
            return False
        if self._elements != _ELEMENTS.get(self._kind):
            return False
        self._note("the last bracket is missing")
        self.parts.append("]")
        return True

    def _take_comma(self) -> bool:
        if self._next == _COMMA and not self._comma_due:
            self._comma_due = True
            self._next = _KEY if self._open[-1:] == ["}"] else _VALUE
            return bool(self._open)
        # Of the frame itself each element has its place, and one may be missing.
        if len(self._open) < 2 or not (self._comma_due or self._next == _FIRST):
            return False
        self._note("a comma too many")
        return True

    def _close(self, piece: str) -> bool:
        if not self._open or self._open.pop() != piece:
            return False
        if self._comma_due:
            self._note("a comma too many")
            self._comma_due = False
        elif self._next not in (_FIRST, _COMMA):
            return False
        self.parts.append(piece)
        self._after_value()
        return True

    def _take_value(self, piece: str) -> bool:
        if piece[0] == '"':
            if len(piece) < 2 or piece[-1] != '"':
                return False
            if not piece.isprintable() and piece != (mended := piece.translate(_CONTROLS)):
                self._note("control characters in a text")
                piece = mended
        if self._next == _COMMA:
            # Two objects in a row: the comma between them is missing.
            if len(self._open) < 2 or piece not in _OPENS or self.parts[-1] not in _CLOSES:
                return False
            self._note("a comma is missing")
            self._comma_due = True
        elif self._next == _COLON:
            return False
        in_object = self._open[-1:] == ["}"]
        is_key = in_object and self._next in (_FIRST, _KEY)
        if is_key and piece[0] != '"':
            return False
        if self._comma_due:
            self.parts.append(",")
            self._comma_due = False
        self.parts.append(piece)
        if is_key:
            self._next = _COLON
        elif piece in _OPENS:
            self._open.append(_OPENS[piece])
            self._next = _FIRST
            return len(self._open) <= DEEPEST
        else:
            if len(self._open) == 1 and not self._elements:
                self._kind = piece
            self._after_value()
        return True

    def _after_value(self) -> None:
        self._next = _COMMA
        if not self._open:
            self._closed = True
        elif len(self._open) == 1:
            self._elements += 1

    def _note(self, what: str) -> None:
        self.found[what] = None
