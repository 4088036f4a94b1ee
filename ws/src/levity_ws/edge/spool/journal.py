"""The spool's file: lines that are on the disk when `keep` returns, and are found again.

A line is a checksum, a space and a JSON document. Lines that a crash or a disk left half-written
are set aside, and every readable line counts, whatever precedes it.

    {"kind": "frame", ...}                     a frame that the edge has answered
    {"kind": "lease", "ids": [1001, ...]}      transaction ids that may be given
    {"kind": "done", "connection": , "seq": }  the backend has this frame
"""

import asyncio
import contextlib
import errno
import fcntl
import logging
import os
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import orjson

__all__ = ["Found", "Journal", "SpoolFull", "SpoolUnusable", "SpooledFrame"]

logger = logging.getLogger(__name__)

WORTH_SHORTENING = 64 * 1024
NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


class SpoolFull(Exception):
    """No room is left within the limit: the edge does not answer this frame."""


class SpoolUnusable(Exception):
    """The folder can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class SpooledFrame:
    """A frame that the edge has accepted, and its answer; `seq` is the event's."""

    charge_point: str
    connection: str
    seq: int
    at: float
    text: str
    unique_id: str
    answer: str = ""
    transaction: int = 0
    """The transactionId in the answer; 0 for none."""
    content: str = ""
    """For a StartTransaction: recognises a repetition."""
    subprotocol: str = ""


@dataclass(slots=True)
class Found:
    """The contents of the file: frames that the backend may not have yet, and unused ids."""

    frames: list[SpooledFrame] = field(default_factory=list)
    ids: list[int] = field(default_factory=list)
    bad: list[bytes] = field(default_factory=list)
    """Lines that can't be read."""


class Journal:
    """One file in `folder`, which belongs to one edge at a time; at most `limit` bytes."""

    def __init__(self, folder: Path, limit: int) -> None:
        self.folder, self.limit = folder, limit
        self.path = folder / "spool.log"
        self.size = 0
        self._lock = -1
        self._file = -1
        self._pending: deque[tuple[bytes, asyncio.Future[None] | None]] = deque()
        self._writer: asyncio.Task[None] | None = None
        # Frames on disk, or being written, that the backend does not have yet.
        self._open = 0
        self._ids_left: Callable[[], Iterable[int]] | None = None
        # True while the file may end in an incomplete line.
        self._torn = False
        self._said = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="spool")

    def open(self) -> Found:
        """Lock the folder and read the file. Raises `SpoolUnusable` if that fails."""
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Read and written, before the first charger depends on it.
            found = self._read()
            self._begin_with(found)
            self._open = len(found.frames)
        except BlockingIOError as error:
            raise SpoolUnusable(
                f"{self.folder} is another edge's spool: give each edge its own folder"
            ) from error
        except OSError as error:
            raise SpoolUnusable(f"{self.folder}: {error.strerror or error}") from error
        return found

    async def keep(self, frame: SpooledFrame) -> None:
        """Returns when it is on disk. Raises `SpoolFull`, or OSError if it can't be written."""
        self._open += 1
        try:
            await self._append({"kind": "frame", **asdict(frame)})
        except BaseException:
            self._open -= 1
            raise

    async def lease(self, ids: Sequence[int]) -> None:
        """Returns when these ids are on disk and may be used; raises like `keep`."""
        await self._append({"kind": "lease", "ids": list(ids)})

    def delivered(self, frame: SpooledFrame) -> None:
        """The backend has it. Written a little later, so a frame may be delivered twice."""
        self._open -= 1
        self._put(_line({"kind": "done", "connection": frame.connection, "seq": frame.seq}), None)

    def shorten(self, ids_left: Callable[[], Iterable[int]]) -> None:
        """Start the file again with the remaining ids, as soon as no frame waits."""
        if self.size > WORTH_SHORTENING:
            self._ids_left = ids_left

    async def close(self) -> None:
        """Write what waits, and release the folder."""
        while self._writer is not None:
            await asyncio.wait([self._writer])
        self._thread.shutdown()
        for descriptor in (self._file, self._lock):
            if descriptor >= 0:
                os.close(descriptor)
        self._file = self._lock = -1

    async def _append(self, document: Mapping[str, Any]) -> None:
        line = _line(document)
        if self.size + len(line) > self.limit:
            raise SpoolFull(f"{self.path} has {self.size} of {self.limit} bytes")
        written: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._put(line, written)
        await written

    def _put(self, line: bytes, written: "asyncio.Future[None] | None") -> None:
        self.size += len(line)
        self._pending.append((line, written))
        if self._writer is None:
            self._writer = asyncio.create_task(self._write_pending())

    async def _write_pending(self) -> None:
        """Writes everything that arrived during the last write together."""
        try:
            while self._pending:
                await self._write_batch()
                if self._ids_left is not None and not self._open and not self._pending:
                    ids, self._ids_left = list(self._ids_left()), None
                    await self._shorten(ids)
        finally:
            self._writer = None

    async def _write_batch(self) -> None:
        batch, self._pending = self._pending, deque()
        data = b"".join(line for line, _ in batch)
        waiting = [written for _, written in batch if written is not None]
        error: OSError | None = None
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._write, data, bool(waiting))
        except OSError as failed:
            error = failed
            self.size -= len(data)
            if not self._said:
                logger.error("The spool can't be written: %s", failed)
        self._said = error is not None
        for written in waiting:
            if written.done():
                continue
            if error is None:
                written.set_result(None)
            else:
                written.set_exception(error)

    def _write(self, data: bytes, is_awaited: bool) -> None:
        begin, was_torn = os.lseek(self._file, 0, os.SEEK_END), self._torn
        try:
            _write_all(self._file, b"\n" + data if self._torn else data)
            if is_awaited:
                os.fsync(self._file)
            self._torn = False
        except OSError:
            # An incomplete line is set aside at the next start; the next line must not be part of
            # it.
            self._torn = True
            with contextlib.suppress(OSError):
                os.ftruncate(self._file, begin)
                self._torn = was_torn
            raise

    async def _shorten(self, ids: list[int]) -> None:
        loop = asyncio.get_running_loop()
        try:
            size = await loop.run_in_executor(self._thread, self._write_over, ids)
        except OSError as error:
            logger.error("The spool can't be compacted: %s", error)
        else:
            self.size = size + sum(len(line) for line, _ in self._pending)

    def _write_over(self, ids: Iterable[int]) -> int:
        """In place, because a full disk has no room for a second file; a crash costs only the
        ids.
        """
        os.ftruncate(self._file, 0)
        line = _line({"kind": "lease", "ids": list(ids)})
        self._write(line, is_awaited=True)
        return len(line)

    def _begin_with(self, found: Found) -> None:
        """Leave out finished lines; if the disk has no room for that, continue with the file as it
        is. Delivering makes room, and an edge that does not start delivers nothing.
        """
        try:
            if found.bad:
                self._put_aside(found.bad)
            self.size = self._write_anew(found.ids, found.frames)
        except OSError as error:
            if error.errno not in NO_SPACE:
                raise
            logger.error("No disk space to compact the spool; using it as it is: %s", error)
            flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
            self._file = os.open(self.path, flags, 0o600)
            self.size = os.fstat(self._file).st_size
            self._torn = True

    def _write_anew(self, ids: Iterable[int], frames: Iterable[SpooledFrame]) -> int:
        lines = [_line({"kind": "lease", "ids": list(ids)})]
        lines += [_line({"kind": "frame", **asdict(frame)}) for frame in frames]
        data = b"".join(lines)
        beside = self.path.with_suffix(".new")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND, 0o600)
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
            beside.replace(self.path)
            _sync_folder(self.folder)
        except BaseException:
            os.close(descriptor)
            beside.unlink(missing_ok=True)
            raise
        self._file = descriptor
        return len(data)

    def _read(self) -> Found:
        found = Found()
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return found
        frames: dict[tuple[str, int], SpooledFrame] = {}
        leased: dict[int, None] = {}
        bad: list[bytes] = []
        for line in data.split(b"\n"):
            document = _document(line)
            if document is None:
                bad += [line] if line else []
                continue
            match document.pop("kind", None):
                case "frame":
                    frame = SpooledFrame(**document)
                    frames[frame.connection, frame.seq] = frame
                    leased.pop(frame.transaction, None)
                case "lease":
                    leased.update(dict.fromkeys(document["ids"]))
                case "done":
                    frames.pop((document["connection"], document["seq"]), None)
        if bad:
            # One of them may have used an id, and no id may be used twice.
            leased.clear()
        found.frames = list(frames.values())
        found.ids = list(leased)
        found.bad = bad
        return found

    def _put_aside(self, bad: list[bytes]) -> None:
        """Keep unreadable lines for a person; one may be a line cut off by a power cut."""
        aside = self.folder / f"damaged-{time.time_ns()}"
        descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            _write_all(descriptor, b"\n".join(bad))
            os.fsync(descriptor)
        except OSError:
            aside.unlink()
            raise
        finally:
            os.close(descriptor)
        logger.error("%d damaged lines of the spool were moved to %s", len(bad), aside)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _line(document: Mapping[str, Any]) -> bytes:
    data = orjson.dumps(document)
    return b"%08x %s\n" % (zlib.crc32(data), data)


def _document(line: bytes) -> dict[str, Any] | None:
    """The line's document; None if it is damaged."""
    checksum, _, data = line.partition(b" ")
    try:
        if int(checksum, 16) != zlib.crc32(data):
            return None
        document = orjson.loads(data)
    except ValueError:
        return None
    return document if isinstance(document, dict) else None


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
