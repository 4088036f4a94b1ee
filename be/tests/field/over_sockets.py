"""Levity as running processes, and chargers on real websockets."""

import base64
import json
import os
import socket
import threading
from contextlib import suppress
from datetime import UTC, datetime
from queue import Empty, Queue
from time import monotonic
from typing import Any
from urllib.parse import quote, urlsplit

from django.db import connection
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Subprotocol

from levity.ocpp.models import Command
from tests.field.charger import Answers, Charger, Ground

__all__ = ["OverSockets", "Shaken"]

PATIENCE = 20.0
TEXT = 1


class OverSockets(Ground):
    """The site at this URL; `run` is what calls its `levity`."""

    def __init__(self, url: str, run: Any) -> None:
        self.url, self._run = url, run
        self.chargers: list[_Line] = []

    @property
    def now(self) -> datetime:
        return datetime.now(UTC)

    def set_clock(self, now: datetime) -> None:
        """Time is what it is."""

    def charger(self, identity: str, answers: Answers | None = None, **handshake: Any) -> Charger:
        line = _Line(self.url, identity, answers, handshake)
        line.come_back()
        self.chargers.append(line)
        return line

    def wait(self, seconds: float) -> None:
        threading.Event().wait(seconds)
        connection.close()

    def settle(self, command: int) -> None:
        end = monotonic() + PATIENCE
        while monotonic() < end:
            row = Command.objects.get(pk=command)
            if row.state not in ("queued", "sent"):
                return
            self.wait(0.1)

    def levity(self, *arguments: str) -> str:
        ran = self._run(*arguments)
        assert ran.returncode == 0, ran.stdout + ran.stderr
        return str(ran.stdout)

    def over(self) -> None:
        """Close what the last case left open."""
        for line in self.chargers:
            line.leave()
        self.chargers.clear()

    def handshake(
        self, path: str, headers: list[str], *, version: str = "HTTP/1.1", raw: bytes = b""
    ) -> "Shaken":
        """A request as it stands (`raw`, or of this path and these lines); its answer."""
        lines = [f"GET {path} {version}", *headers]
        return Shaken(self.url, raw or ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


class Shaken:
    """A handshake of which every letter is the charger's, and the socket after it."""

    def __init__(self, url: str, request: bytes) -> None:
        there = urlsplit(url)
        assert there.hostname is not None
        self.socket = socket.create_connection((there.hostname, there.port), timeout=PATIENCE)
        self.socket.sendall(request)
        self._read = b""
        while b"\r\n\r\n" not in self._read and (part := self.socket.recv(65536)):
            self._read += part
        head, _, self._read = self._read.partition(b"\r\n\r\n")
        self.head = head.decode("latin-1")
        self.status = int(self.head.split(" ")[1]) if self.head else 0
        self.said = self._read.decode("utf-8", "replace").strip()

    def __enter__(self) -> "Shaken":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def call(self, frame: Any) -> list[Any]:
        """One Call in a masked frame; the first text that comes back (RFC 6455, 5.2)."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        self.frame(0x80 | TEXT, text.encode())
        return self.answer()

    def frame(self, first: int, data: bytes) -> None:
        """One masked frame that begins with this byte."""
        mask = os.urandom(4)
        length = (
            bytes([0x80 | len(data)])
            if len(data) < 126
            else bytes([0x80 | 126]) + len(data).to_bytes(2, "big")
        )
        masked = bytes(byte ^ mask[place % 4] for place, byte in enumerate(data))
        self.socket.sendall(bytes([first]) + length + mask + masked)

    def answer(self) -> list[Any]:
        """The next text that is no Call of the server's."""
        while True:
            opcode, answer = self._frame()
            assert opcode in (TEXT, 9, 10), f"closed: {answer!r}"
            if opcode == TEXT and json.loads(answer)[0] != 2:
                return list(json.loads(answer))

    def _frame(self) -> tuple[int, bytes]:
        first, length = self._bytes(2)
        if length == 126:
            length = int.from_bytes(self._bytes(2), "big")
        return first & 15, self._bytes(length)

    def _bytes(self, number: int) -> bytes:
        while len(self._read) < number:
            part = self.socket.recv(65536)
            assert part, "the server closed the connection"
            self._read += part
        taken, self._read = self._read[:number], self._read[number:]
        return taken


class _Line(Charger):
    """A charger whose websocket is one; a thread answers the server's Calls."""

    def __init__(
        self, url: str, identity: str, answers: Answers | None, handshake: dict[str, Any]
    ) -> None:
        super().__init__(identity, answers)
        self.url = f"{url}/{quote(identity, safe='')}"
        self.handshake = handshake
        self.socket: ClientConnection | None = None

    def come_back(self) -> None:
        names = self.handshake.get("subprotocols", ("ocpp1.6",))
        self.socket = connect(
            self.url,
            subprotocols=[Subprotocol(name) for name in names] or None,
            user_agent_header=self.handshake.get("user_agent"),
            compression=None,
            open_timeout=PATIENCE,
            ping_interval=None,
            max_size=None,
            proxy=None,
        )
        self._answers: Queue[list[Any]] = Queue()
        threading.Thread(
            target=self._listen, args=(self.socket, self._answers), daemon=True
        ).start()

    def _listen(self, there: ClientConnection, answers: "Queue[list[Any]]") -> None:
        with suppress(ConnectionClosed):
            for text in there:
                frame = json.loads(text)
                if frame[0] != 2:
                    answers.put(frame)
                elif (said := self.reply_to(frame)) is not None:
                    there.send(said)

    def leave(self) -> None:
        if self.socket is not None:
            with suppress(OSError):
                self.socket.socket.shutdown(socket.SHUT_RDWR)
            self.socket.close()
            self.socket = None

    def say(self, text: str) -> list[Any] | None:
        assert self.socket is not None, "it is not connected"
        while not self._answers.empty():
            self._answers.get_nowait()
        self.socket.send(text)
        connection.close()
        # What is no Call may get none.
        patience = PATIENCE if text.lstrip().startswith("[") else 0.5
        try:
            return self._answers.get(timeout=patience)
        except Empty:
            return None


def websocket_key() -> str:
    """A Sec-WebSocket-Key."""
    return base64.b64encode(os.urandom(16)).decode()
