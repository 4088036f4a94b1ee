"""waitress, with a limit for each body that depends on who sends it (`body_limits`)."""

import json
import weakref
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from waitress.channel import HTTPChannel
from waitress.parser import HTTPRequestParser
from waitress.utilities import Error

from levity.installation import is_levitys_own

__all__ = ["ANYBODY", "AT_ONCE", "KNOWN", "limit_bodies"]

ANYBODY = 1_000_000
"""Bytes that need no reason."""
KNOWN = 11_000_000
"""Bytes of somebody who is known: a CSV of id tags is the largest form (nginx has the same)."""

AT_ONCE = 4
"""Bodies above `ANYBODY` that are on the disk, or on their way there, at the same time."""


Judge = Callable[[str, str, Mapping[str, str]], int]


def limit_bodies(server: Any, judge: Judge | None = None) -> None:
    """Let this server of waitress judge each request before it takes its body.

    As a guest in another project, Levity knows nothing of that one's logins: all may send as much
    as somebody who is known.
    """
    if judge is None and is_levitys_own():
        from levity.run.web.body_limits import most_bytes as judge  # a guest may lack its apps
    judge = judge or (lambda *_: KNOWN)

    def parser(adj: Any) -> _Parser:
        return _Parser(adj, judge)

    channel = type("Channel", (_Channel,), {"parser_class": staticmethod(parser)})
    listeners = list(server.map.values()) if hasattr(server, "map") else [server]
    for listener in listeners:
        # Each request gets its own limit in the place of this one.
        listener.adj.max_request_body_size = 2**62
        listener.channel_class = channel


class _Refused(Error):
    """An answer before the body was read; a problem (RFC 9457) where programs read it."""

    def __init__(self, code: int, reason: str, detail: str, *, as_problem: bool) -> None:
        super().__init__(detail)
        self.code, self.reason, self._as_problem = code, reason, as_problem

    def to_response(self, ident: str | None = None) -> tuple[str, list[tuple[str, str]], bytes]:
        """Status line, headers and body."""
        kind, text = "text/plain; charset=utf-8", f"{self.body}\n"
        if self._as_problem:
            slug = self.reason.lower().replace(" ", "-")
            kind = "application/problem+json"
            text = json.dumps(
                {
                    "type": f"urn:levity:problem:{slug}",
                    "title": self.reason,
                    "status": self.code,
                    "detail": self.body,
                }
            )
        headers = [("Content-Type", kind)]
        if self.code == 503:
            headers.append(("Retry-After", "60"))
        return f"{self.code} {self.reason}", headers, text.encode()


class _Limited:
    """waitress' settings, with another limit for the body of one request."""

    def __init__(self, adj: Any, most: int) -> None:
        self._adj = adj
        self.max_request_body_size = most + 1

    def __getattr__(self, name: str) -> Any:
        return getattr(self._adj, name)


class _Parser(HTTPRequestParser):
    adj: Any
    error: Any
    headers_finished: bool
    large: ClassVar["weakref.WeakSet[_Parser]"] = weakref.WeakSet()

    def __init__(self, adj: Any, judge: Judge) -> None:
        super().__init__(adj)
        self._most_bytes = judge

    def received(self, data: bytes) -> int:
        """Bytes that were taken; see waitress."""
        is_in_body = self.headers_finished
        consumed: int = super().received(data)
        is_whole_head = bool(getattr(self, "headers_finished", False))
        if not is_in_body and is_whole_head and self.error is None:
            self._judge()
        if self.error is not None and getattr(self.error, "code", 0) == 413:
            self._refuse()
        return consumed

    def close(self) -> None:
        """The request is over: its body is gone from the disk."""
        self.large.discard(self)
        super().close()

    def _judge(self) -> None:
        if not self.chunked and self.content_length <= ANYBODY:
            return
        most = self._most_bytes(self.command, self.path, self.headers)
        self.adj = _Limited(self.adj, most)
        if self.content_length > most:
            self._refuse()
        elif most > ANYBODY:
            if len(self.large) >= AT_ONCE:
                self._end(503, "Service Unavailable", "Busy with other uploads. Try again.")
            else:
                self.large.add(self)

    def _refuse(self) -> None:
        most = getattr(self.adj, "max_request_body_size", 0)
        detail = f"The body of this request is larger than {(most - 1) / 1e6:,.1f} MB."
        if most - 1 <= ANYBODY:
            detail += " Log in first, or use the address of a job that is open."
        self._end(413, "Content Too Large", detail)

    def _end(self, code: int, reason: str, detail: str) -> None:
        self.close()
        is_for_programs = str(self.path).startswith("/api/")
        self.error = _Refused(code, reason, detail, as_problem=is_for_programs)
        self.expect_continue = False
        self.completed = True


class _Channel(HTTPChannel):
    request: Any

    def handle_close(self) -> None:
        """Half a body must not stay on the disk until the next garbage collection."""
        if self.request is not None:
            self.request.close()
            self.request = None
        super().handle_close()
