"""Which charge point a request line means: simple scanners, for any input.

OCPP-J 1.6, 3.1.1: the identity is the last segment of the URL, percent-encoded where needed. The
part before it is what people type into chargers, and is tolerated: `/ws/ID`, `/ID`, `/ws/4/ID`
(SETEC), `/ocpp/ID`, doubled slashes, a slash at the end.
"""

from urllib.parse import unquote_to_bytes

from levity_ws.edge.refusal import Refusal, printable

__all__ = [
    "LONGEST",
    "SIGNS",
    "identity_in_path",
    "is_http",
    "is_identity",
    "plain_request_line",
    "target_path",
    "wrong_with_line",
]

LONGEST = 48
"""Characters: the length of an identity in OCPP 2.x."""
SIGNS = "*-_=:+|@."
"""In addition to letters and digits: the identifierString of OCPP 2.x. Inner spaces occur as
well.
"""
_IDENTITY = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 " + SIGNS.encode()
)

# RFC 9112, 3.2.2: a server takes the absolute form, too (EVBox Elvi sends it).
_SCHEMES = ("http://", "https://", "ws://", "wss://")
# Addresses of the front end and of the edge, which are not charge points unless they follow /ws/.
_RESERVED = frozenset(
    {
        *("admin", "static", "metrics", "health", "healthz", "readyz", "livez", "alive"),
        *(".well-known", "favicon.ico", "robots.txt"),
    }
)
# If an address ends with one of these, the identity after it is missing.
_PATH_WORDS = frozenset(
    {
        *("ws", "wss", "websocket", "websockets", "socket", "api", "v16", "1.6", "1.6j"),
        *("ocpp", "ocppj", "ocpp-j", "ocpp1.6", "ocpp1.6j", "ocpp16", "ocpp16j", "ocpp1.6-j"),
        *("ocpp2.0", "ocpp2.0.1", "ocpp201", "centralsystem", "centralsystemservice", "csms"),
    }
)
_PLACEHOLDERS = frozenset({"chargepointid", "chargeboxid", "chargerid", "chargepointidentity"})
_BRACKETS = "{}<>[]$%"
_WHERE = "Connect to ws://<this host>/ws/<charge point id>."


def identity_in_path(target: str) -> str | Refusal:
    """The charge point's identity in this request target; the query says nothing.

    Percent-encoding is decoded exactly once, then the result is checked.
    """
    segments = [part for part in target_path(target).split("/") if part]
    behind_ws = len(segments) > 1 and segments[0].lower() == "ws"
    if any(part in (".", "..") for part in segments[:-1]):
        return _wrong_path("“.” and “..” are not allowed")
    if not segments or (not behind_ws and segments[-1].lower() in _PATH_WORDS):
        ending = f"/{segments[-1]}" if segments else "/"
        return Refusal(
            404,
            f"The charge point id is missing: this address ends with “{printable(ending, 60)}”. "
            f"{_WHERE}",
            "no identity",
            detail=f"it ends with “{printable(ending, 60)}”",
        )
    if not behind_ws and segments[0].lower() in _RESERVED:
        return _wrong_path(f"“/{segments[0].lower()}” is not for chargers")
    if len(segments) == 1 and segments[0].startswith("ws"):
        return _wrong_path(f"a slash is missing between “/ws” and “{printable(segments[0][2:])}”")
    return _identity(segments[-1])


def is_identity(text: str) -> bool:
    """True if this decoded text can be the name of a charger."""
    raw = text.encode("utf-8", "surrogatepass")
    return bool(raw) and not _wrong_with(raw, text) and not _is_placeholder(text)


def target_path(target: str) -> str:
    """The path of a request target in origin form or in absolute form, without the query."""
    path = target.partition("?")[0]
    for scheme in _SCHEMES:
        if path[: len(scheme)].lower() == scheme:
            return "/" + path[len(scheme) :].partition("/")[2]
    return path


def plain_request_line(head: bytes) -> bytes:
    """Make the first line of a request readable: characters that are not allowed in a URL are
    percent-encoded. A raw space, a tab, or an umlaut would otherwise end the connection silently,
    and the proxy in front of us would report that Levity is away. Empty lines before it are skipped
    (RFC 9112, 2.2), and tabs separate as spaces do (RFC 9112, 3).
    """
    head = head.lstrip(b"\r\n")
    line, newline, rest = head.partition(b"\n")
    if not newline or (line.count(b" ") == 2 and b"\t" not in line and line.isascii()):
        return head
    method, _, behind = line.replace(b"\t", b" ").strip(b"\r ").partition(b" ")
    target, _, version = behind.rpartition(b" ")
    if not version.startswith(b"HTTP/"):
        return head
    encoded = b"".join(
        bytes((byte,)) if 0x20 < byte < 0x7F else b"%%%02X" % byte for byte in target.strip(b" ")
    )
    return b"%b %b %b\r\n%b" % (method, encoded, version, rest)


def is_http(head: bytes) -> bool:
    """True if this beginning is HTTP, valid or not, so that the client can read an answer."""
    line = head.partition(b"\n")[0].rstrip(b"\r \t")
    words = line.split()
    return len(words) > 1 and (
        words[0].upper() in _METHODS or words[-1].upper().startswith(b"HTTP/")
    )


def wrong_with_line(head: bytes) -> str:
    """Why this normalised first line can't be read here; "" if it is not the cause. Without the
    target, because its query may contain a key.
    """
    words = head.partition(b"\n")[0].rstrip(b"\r").split(b" ")
    last = printable(words[-1].decode("latin-1"), 20)
    if len(words) != 3 or not words[-1].upper().startswith(b"HTTP/"):
        return "its first line does not end with HTTP/1.1"
    if words[-1] not in (b"HTTP/1.1", b"HTTP/1.0"):
        return f"its first line ends with “{last}” instead of HTTP/1.1"
    return "" if words[0].isascii() else "its first word is not an HTTP method"


_METHODS = frozenset(
    {b"GET", b"HEAD", b"POST", b"PUT", b"DELETE", b"CONNECT", b"OPTIONS", b"TRACE", b"PATCH"}
)


def _identity(encoded: str) -> str | Refusal:
    try:
        raw = unquote_to_bytes(encoded.encode("ascii"))
    except UnicodeEncodeError:
        raw = encoded.encode("utf-8", "surrogateescape")
    text = raw.decode("utf-8", "replace")
    if _is_placeholder(text):
        return Refusal(
            404,
            f"“{printable(text, 60)}” is a placeholder for the charge point id: replace it with "
            "the charger's own id.",
            "placeholder",
            detail=f"“{printable(text, 60)}”",
        )
    if why := _wrong_with(raw, text):
        return Refusal(
            404,
            f"“{printable(text, 60)}” is not a charge point id: {why}. Allowed are 1 to {LONGEST} "
            f"letters, digits, inner spaces, and any of {' '.join(SIGNS)}",
            "identity",
            detail=f"“{printable(text, 60)}”: {why}",
        )
    return text


def _wrong_with(raw: bytes, text: str) -> str:
    if raw in (b".", b".."):
        return "it consists of dots only"
    if foreign := {sign for sign in text if sign not in _SIGN_SET}:
        first = next(sign for sign in text if sign in foreign)
        if first.isprintable() and first != "\ufffd":
            return f"it contains “{first}”"
        return "it contains unprintable characters"
    if len(raw) > LONGEST:
        return f"it has {len(raw)} characters"
    if raw != raw.strip(b" "):
        return "it begins or ends with a space"
    return ""


_SIGN_SET = frozenset(chr(byte) for byte in _IDENTITY)


def _is_placeholder(text: str) -> bool:
    inner = text.strip(_BRACKETS)
    bare = "".join(sign for sign in inner.lower() if sign not in " _-")
    return bare in _PLACEHOLDERS or (inner != text and text[0] in "{<[" and text[-1] in "}>]")


def _wrong_path(why: str) -> Refusal:
    return Refusal(404, f"{why[0].upper()}{why[1:]}. {_WHERE}", "path", detail=why)
