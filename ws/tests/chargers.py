"""A charger for the edge's tests that does what no well-behaved websocket client would do."""

import asyncio
import base64
import os
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

__all__ = ["RawCharger", "http_get", "raw_charger", "upgrade_request"]

# Seconds after which something does not come any more, however busy the machine.
PATIENCE = 60.0


def upgrade_request(path: str, *headers: str) -> bytes:
    """A websocket handshake, with these header lines besides."""
    key = base64.b64encode(os.urandom(16)).decode()
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: edge",
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        f"Sec-WebSocket-Key: {key}",
        *headers,
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class RawCharger:
    """Frames by hand, over a plain TCP connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        self.head = ""

    @property
    def status(self) -> int:
        """The HTTP status of the handshake."""
        return int(self.head.split(" ", 2)[1])

    def header(self, name: str) -> str | None:
        """A header of the answer to the handshake."""
        for line in self.head.split("\r\n")[1:]:
            key, _, value = line.partition(":")
            if key.lower() == name.lower():
                return value.strip()
        return None

    async def read_head(self) -> None:
        """Read the answer to the handshake."""
        async with asyncio.timeout(PATIENCE):
            self.head = (await self.reader.readuntil(b"\r\n\r\n")).decode()

    async def body(self) -> str:
        """What follows a refusal, up to the end."""
        async with asyncio.timeout(PATIENCE):
            return (await self.reader.read()).decode()

    def send_frame(self, opcode: int, payload: bytes, *, fin: bool = True) -> None:
        """Write one masked frame."""
        first = (0x80 if fin else 0) | opcode
        size = len(payload)
        if size < 126:
            head = struct.pack("!BB", first, 0x80 | size)
        elif size < 1 << 16:
            head = struct.pack("!BBH", first, 0x80 | 126, size)
        else:
            head = struct.pack("!BBQ", first, 0x80 | 127, size)
        self.writer.write(head + b"\0\0\0\0" + payload)

    def send(self, text: str) -> None:
        """Write one text frame."""
        self.send_frame(1, text.encode("utf-8", "surrogatepass"))

    async def frame(self) -> tuple[int, bytes]:
        """The next frame: opcode and payload."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readexactly(2)
            size = head[1] & 0x7F
            if size == 126:
                size = struct.unpack("!H", await self.reader.readexactly(2))[0]
            elif size == 127:
                size = struct.unpack("!Q", await self.reader.readexactly(8))[0]
            return head[0] & 0x0F, await self.reader.readexactly(size)

    async def text(self) -> str:
        """The next frame, which must be text."""
        opcode, payload = await self.frame()
        assert opcode == 1, (opcode, payload)
        return payload.decode()

    async def close_frame(self) -> tuple[int, str]:
        """The next frame, which must be a close frame; it is answered."""
        opcode, payload = await self.frame()
        assert opcode == 8, (opcode, payload)
        self.send_frame(8, payload[:2])
        return struct.unpack("!H", payload[:2])[0], payload[2:].decode()

    async def end_of_stream(self) -> None:
        """Wait until the edge has closed TCP."""
        async with asyncio.timeout(PATIENCE):
            with suppress(ConnectionResetError):
                while await self.reader.read(65536):
                    pass

    async def close(self) -> None:
        """Close TCP."""
        self.writer.close()
        with suppress(OSError):
            await self.writer.wait_closed()


@asynccontextmanager
async def raw_charger(
    port: int, path: str = "/ws/CP1", *headers: str, shake: bool = True
) -> AsyncIterator[RawCharger]:
    """A charger that has sent its handshake and read the answer."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 20)
    charger = RawCharger(reader, writer)
    try:
        if shake:
            writer.write(upgrade_request(path, *headers))
            await charger.read_head()
        yield charger
    finally:
        await charger.close()


async def http_get(port: int, path: str, *headers: str) -> tuple[int, str]:
    """Status and body of a plain GET."""
    async with raw_charger(port, shake=False) as client:
        lines = [f"GET {path} HTTP/1.1", "Host: edge", *headers]
        client.writer.write(("\r\n".join(lines) + "\r\n\r\n").encode())
        await client.read_head()
        return client.status, await client.body()
