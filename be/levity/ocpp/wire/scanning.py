"""Looking through texts that others write: one pass, whatever stands in them.

A regular expression that goes back and tries again takes minutes for the 120 kB that a charger may
send, holds the interpreter meanwhile, and hears no time limit. So nothing here (nor anywhere else
in Levity) uses one; each function reads every character a fixed number of times at most.
"""

from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "DROP",
    "HEAD",
    "between_fields",
    "drop_tokens",
    "frame_head",
    "is_hex",
    "json_tokens",
    "logins",
    "replaced",
    "runs",
    "signatures",
    "string_end",
    "without_strings",
]

HEAD = 1000
"""Characters within which the head of a frame stands, if it has one."""
_SIGNS = frozenset("{}[],:")
_ENDS_WORD = _SIGNS | {'"'}
_HEX = frozenset("0123456789abcdefABCDEF")

Span = tuple[int, int]


def frame_head(text: str, longest_id: int) -> tuple[int, str, str] | None:
    """(message type, unique id, action) at the beginning of what is no whole frame.

    None where there is none; the action is "" where it can't be read.
    """
    rest = _after(text[:HEAD], "[")
    kind = rest[:1] if rest else ""
    if kind not in ("2", "3", "4"):
        return None
    rest = _after(_after(rest[1:], ","), '"', keep_space=True)
    unique_id, quote, rest = rest.partition('"')
    if not quote or not 0 < len(unique_id) <= longest_id or "\\" in unique_id:
        return None
    if any(sign < " " for sign in unique_id):
        return None
    rest = _after(_after(rest, ","), '"', keep_space=True)
    action, quote, _ = rest.partition('"')
    good = quote and 0 < len(action) <= 50 and all(c == "_" or c.isalnum() for c in action)
    return int(kind), unique_id, action if good else ""


def _after(text: str, sign: str, *, keep_space: bool = False) -> str:
    """What follows this sign; "" where the text begins with another one."""
    text = text.lstrip()
    if not text.startswith(sign):
        return ""
    return text[1:] if keep_space else text[1:].lstrip()


def string_end(text: str, start: int) -> int:
    """Where the JSON string that begins here ends, behind its last quote; -1 if it never does."""
    quote = text.find('"', start + 1)
    slash = text.find("\\", start + 1, quote) if quote >= 0 else -1
    while slash >= 0:
        after = slash + 2
        if after > quote:
            quote = text.find('"', after)
            if quote < 0:
                return -1
        slash = text.find("\\", after, quote)
    return quote + 1 if quote >= 0 else -1


def json_tokens(text: str) -> Iterator[Span]:
    """Strings with their quotes, `{}[],:` and bare words, of JSON that may be broken or cut."""
    place, length = 0, len(text)
    while place < length:
        sign = text[place]
        if sign == '"':
            end = string_end(text, place)
            if end < 0:
                end = length
        elif sign in _SIGNS:
            end = place + 1
        elif sign.isspace():
            place += 1
            continue
        else:
            end = place + 1
            while end < length and text[end] not in _ENDS_WORD and not text[end].isspace():
                end += 1
        yield place, end
        place = end


def without_strings(text: str) -> str:
    """JSON text with every string that is closed made an empty one."""
    parts: list[str] = []
    place = 0
    while (start := text.find('"', place)) >= 0:
        end = string_end(text, start)
        if end < 0:
            break
        parts += text[place:start], '""'
        place = end
    parts.append(text[place:])
    return "".join(parts)


def logins(text: str) -> Iterator[Span]:
    """Where the user and the password stand in the URLs of this text: ftp://HERE@host."""
    if "://" not in text:
        return
    place = 0
    while (end := text.find("@", place)) >= 0:
        scheme = text.rfind("://", place, end)
        login = text[scheme + 3 : end] if scheme >= 0 else ""
        if login and not any(sign in '/"' or sign.isspace() for sign in login):
            yield scheme + 3, end
        place = end + 1


# Azure's sig, X-Amz-Signature, X-Goog-Signature, CloudFront's Policy, and what others call theirs.
_RIGHTS = (
    *("sig", "token", "secret", "pass", "pwd", "key", "auth", "credential", "policy", "code"),
    *("hmac", "jwt", "ticket"),
)


def signatures(text: str) -> Iterator[Span]:
    """Where the values stand that give a right, in the queries of URLs: https://a/b?sig=HERE."""
    place = text.find("://")
    while place >= 0:
        end = place + 3
        while end < len(text) and text[end] not in '"<>' and not text[end].isspace():
            end += 1
        start = text.find("?", place, end)
        while 0 <= start < end:
            stop = min(at for at in (text.find("&", start + 1, end), end) if at >= 0)
            value = text.find("=", start, stop) + 1
            name = text[start + 1 : value - 1].lower()
            if 0 < value < stop and any(word in name for word in _RIGHTS):
                yield value, stop
            start = stop
        place = text.find("://", end)


DROP = "lvdrop-"
"""How the part of a URL begins that is the whole of somebody's right to use it (levity/files)."""


def drop_tokens(text: str) -> Iterator[Span]:
    """Where such parts stand in a text, behind their beginning."""
    place = 0
    while (found := text.find(DROP, place)) >= 0:
        place = found + len(DROP)
        end = place
        while (
            end < len(text) and text[end].isascii() and (text[end].isalnum() or text[end] in "-_")
        ):
            end += 1
        if end > place:
            yield place, end
        place = end


def runs(text: str, is_part: Callable[[str], bool]) -> Iterator[Span]:
    """The longest pieces of which every character is a part."""
    start = -1
    for place, sign in enumerate(text):
        if is_part(sign):
            if start < 0:
                start = place
        elif start >= 0:
            yield start, place
            start = -1
    if start >= 0:
        yield start, len(text)


def between_fields(text: str, name: str, *, quoted: bool | None = None) -> Iterator[int]:
    """Where the values of the fields of this name begin, behind the colon and its white space.

    `quoted`: those in quotes alone, behind the quote; None: behind a quote if there is one.
    """
    wanted, place = f'"{name}"', 0
    while (found := text.find(wanted, place)) >= 0:
        place = _skipped(text, found + len(wanted))
        if text[place : place + 1] != ":":
            continue
        place = _skipped(text, place + 1)
        has_quote = text[place : place + 1] == '"'
        if quoted and not has_quote:
            continue
        yield place + has_quote


def _skipped(text: str, place: int) -> int:
    while place < len(text) and text[place].isspace():
        place += 1
    return place


def replaced(text: str, edits: Iterable[tuple[int, int, str]]) -> str:
    """The text with (start, end, new) put in; the edits come in their order, none overlaps."""
    parts: list[str] = []
    place = 0
    for start, end, new in edits:
        parts += text[place:start], new
        place = end
    if not parts:
        return text
    parts.append(text[place:])
    return "".join(parts)


def is_hex(text: str) -> bool:
    """True if there is something, and nothing but hexadecimal digits."""
    return bool(text) and _HEX.issuperset(text)
