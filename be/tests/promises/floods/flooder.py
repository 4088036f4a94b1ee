"""`python flooder.py KIND PORT IDENTITY`: one hostile charger, until it is killed.

In a process of its own, so that it takes nothing away from the chargers that are measured.
"""

import base64
import os
import select
import socket
import struct
import sys
import time
from collections.abc import Iterator

__all__ = ["KINDS"]

TEXT, CONTINUATION, PING, PONG = 1, 0, 9, 10


def frame(opcode: int, payload: bytes = b"", *, fin: bool = True) -> bytes:
    """One masked frame, of at most 64 KB."""
    first, size = (0x80 if fin else 0) | opcode, len(payload)
    if size < 126:
        return struct.pack("!BB", first, 0x80 | size) + bytes(4) + payload
    return struct.pack("!BBH", first, 0x80 | 126, size) + bytes(4) + payload


def statuses() -> Iterator[tuple[float, bytes]]:
    """I-24: a thousand StatusNotifications a second."""
    number = 0
    while True:
        sent = b""
        for number in range(number + 1, number + 11):  # noqa: B020  # it counts on
            status = ("Available", "Preparing")[number % 2]
            sent += frame(
                TEXT,
                b'[2,"%d","StatusNotification",{"connectorId":1,"errorCode":"NoError",'
                b'"status":"%s"}]' % (number, status.encode()),
            )
        yield 0.01, sent


def pings() -> Iterator[tuple[float, bytes]]:
    """I-19: as many pings as the socket takes."""
    while True:
        yield 0, frame(PING) * 1000


def pongs() -> Iterator[tuple[float, bytes]]:
    """I-19: the same with pongs that nobody asked for."""
    while True:
        yield 0, frame(PONG, b"unasked") * 1000


def fragments() -> Iterator[tuple[float, bytes]]:
    """I-19: a message of empty fragments."""
    yield 0, frame(TEXT, b"[", fin=False)
    while True:
        yield 0, frame(CONTINUATION, fin=False) * 1000


def endless() -> Iterator[tuple[float, bytes]]:
    """I-19: a message that never ends, in fragments of 125 bytes."""
    yield 0, frame(TEXT, b"[", fin=False)
    while True:
        yield 0, frame(CONTINUATION, b"x" * 125, fin=False) * 100


KINDS = {item.__name__: item for item in (statuses, pings, pongs, fragments, endless)}


def connected(port: int, identity: str) -> socket.socket | None:
    """A websocket; None if the edge has had enough of us."""
    sock = socket.create_connection(("127.0.0.1", port), timeout=10)
    key = base64.b64encode(os.urandom(16)).decode()
    sock.sendall(
        (
            f"GET /ws/{identity} HTTP/1.1\r\nHost: edge\r\n"
            "Connection: Upgrade\r\nUpgrade: websocket\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n"
        ).encode()
    )
    if b" 101 " in sock.recv(4096):
        return sock
    sock.close()
    return None


def flood(sock: socket.socket, chunks: Iterator[tuple[float, bytes]]) -> None:
    """Write until the other side closes; what it says is thrown away."""
    sock.setblocking(False)
    due, left = time.monotonic(), b""
    while True:
        if not left:
            pause, left = next(chunks)
            due = max(due + pause, time.monotonic() - 1)
        wait = max(0.0, due - time.monotonic())
        readable, writable, _ = select.select([sock], [sock] if wait == 0 else [], [], wait or 1)
        if readable and not sock.recv(1 << 16):
            return
        if writable:
            left = left[sock.send(left) :]


def main() -> None:
    # A real one has a machine of its own: it takes what is left of this one.
    os.nice(19)
    kind, port, identity = KINDS[sys.argv[1]], int(sys.argv[2]), sys.argv[3]
    while True:
        try:
            sock = connected(port, identity)
            if sock is not None:
                with sock:
                    flood(sock, kind())
        except OSError:
            pass
        # Closed or refused: it comes again at once, as a hostile one would.
        time.sleep(0.05)


if __name__ == "__main__":
    main()
