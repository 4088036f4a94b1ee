"""The files over HTTP: chargers PUT or POST uploads, and GET firmware, at the place of their job.

A middleware before hosts, TLS, sessions and CSRF are asked about: a charger knows none of them, and
its token is all that counts. What it sends is written to the disk as it comes.
"""

import logging
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote

from django.db import DatabaseError
from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
)

from levity.files import conf, drops, storage
from levity.files.kept import ADD_FIRMWARE
from levity.files.models import Drop, Firmware
from levity.files.storage import NotStored, TooLarge

__all__ = ["Body", "FileDrop"]

log = logging.getLogger(__name__)

PIECE = 256 * 1024
BY_NGINX = "/.levity/firmware/"
"""A location that nginx follows only from our own answers (fe/templates/files.conf.template)."""
FIRMWARE_FORM = "levity:files_firmware_add"
Get = Callable[[HttpRequest], HttpResponseBase]


class FileDrop:
    """Answers below /files/, and passes on everything else."""

    def __init__(self, get_response: Get) -> None:
        self.get_response = get_response
        # Of uploads, and of downloads that hold a thread of the web pages until the charger has
        # taken all of them: the other half of the threads answers pages.
        self._places = threading.BoundedSemaphore(conf.at_once())

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """201 for an upload, the firmware for a download, 404 without a token."""
        if not request.path_info.startswith(drops.PREFIX):
            return self.get_response(request)
        response = self._answer(request)
        # Django's own lines would have the token in them.
        response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001
        response["Cache-Control"] = "no-store"
        response["X-Content-Type-Options"] = "nosniff"
        return response

    def process_view(self, request: HttpRequest, *_: Any) -> HttpResponseBase | None:
        """Leave a firmware unread that comes from nobody who may upload one.

        To find the form's token, the check against CSRF reads all of the body; nginx lets this
        page have a large one as it comes, so that whoever sends it slowly holds a thread.
        """
        match, user = request.resolver_match, getattr(request, "user", None)
        if match is None or match.view_name != FIRMWARE_FORM or request.method != "POST":
            return None
        if user is not None and user.has_perm(ADD_FIRMWARE):
            return None
        # (The page itself says what is missing.)
        return HttpResponseRedirect(request.path)

    def _answer(self, request: HttpRequest) -> HttpResponseBase:
        token, _, name = request.path_info.removeprefix(drops.PREFIX).partition("/")
        try:
            drop = drops.by_token(token)
        except DatabaseError:
            log.exception("a charger's file could not be looked up")
            return _text(503, "Try again in a minute.", retry=True)
        if drop is None:
            return _text(404, "There is no such place, or it is closed.")
        drops.note_came(drop)
        if drop.firmware is not None:
            return self._download(request, drop)
        if request.method not in ("PUT", "POST"):
            response = _text(405, "Upload with PUT or POST.")
            response["Allow"] = "PUT, POST"
            return response
        if not self._places.acquire(blocking=False):
            return _text(503, "Busy with other uploads.", retry=True)
        try:
            return _upload(request, drop, name)
        finally:
            self._places.release()

    def _download(self, request: HttpRequest, drop: Drop) -> HttpResponseBase:
        if request.method != "GET" or not _holds_a_thread(request):
            return _firmware(request, drop)
        if not self._places.acquire(blocking=False):
            return _text(503, "Busy with other downloads.", retry=True)
        try:
            response = _firmware(request, drop)
        except BaseException:
            self._places.release()
            raise
        if isinstance(response, _WithPlace):
            response.place = self._places
        else:
            self._places.release()
        return response


def _holds_a_thread(request: HttpRequest) -> bool:
    """Not where nginx sends the file, or where waitress does (`levity serve`), whose one loop
    sends to all."""
    software = str(request.META.get("SERVER_SOFTWARE", ""))
    return not conf.by_nginx() and not software.startswith("Levity")


class _WithPlace(FileResponse):
    """A download; its place is free again when all of it is sent, or the charger is gone."""

    place: threading.BoundedSemaphore | None = None

    def close(self) -> None:
        """By the server, at the end."""
        try:
            super().close()
        finally:
            place, self.place = self.place, None
            if place is not None:
                place.release()


def _upload(request: HttpRequest, drop: Drop, name: str) -> HttpResponse:
    if "HTTP_CONTENT_RANGE" in request.META:
        # RFC 9110, 14.4: a part must not be taken for the whole.
        return _text(400, "Content-Range is not supported: send the whole file.")
    declared = request.META.get("CONTENT_LENGTH") or ""
    try:
        if declared.isdigit() and int(declared) > conf.limits()[0] + PIECE:
            raise TooLarge(f"more than {conf.limits()[0] // conf.MEGABYTE:,} MB")
        with drops.receive(drop) as incoming:
            called, is_complete = _take(request, incoming)
            if not incoming.size and not is_complete:
                return _text(400, "Nothing came.")
            written = incoming.keep()
    except NotStored as error:
        drops.note_trouble(drop, str(error))
        log.warning("job %s: upload refused: %s", drop.job_id, error)
        return _text(413 if isinstance(error, TooLarge) else 507, f"Not stored: {error}.")
    remote = request.META.get("REMOTE_ADDR", "")
    drops.keep(drop, written, called or unquote(name), is_complete=is_complete, remote=remote)
    log.info("job %s: %d bytes arrived over HTTP", drop.job_id, written.size)
    if not is_complete:
        return _text(400, "The connection ended before all of it had come.")
    return _text(201, "Stored.")


def _take(request: HttpRequest, incoming: storage.Incoming) -> tuple[str, bool]:
    """Write the body; (the name that it gives itself, whether all of it came)."""
    if request.content_type == "multipart/form-data":
        from levity.files.multipart import take_multipart

        return take_multipart(request, incoming)
    body = Body(request)
    while piece := body.read(PIECE):
        incoming.write(piece)
    return "", body.is_whole


class Body:
    """What a charger sends, read as it comes. The server joins the chunks of a chunked one."""

    def __init__(self, request: HttpRequest) -> None:
        size = request.META.get("CONTENT_LENGTH") or ""
        self._left = int(size) if size.isdigit() else None
        self._stream: Any = request.META.get("wsgi.input") or request
        # Without a length, only a server that joins chunks knows where it ends.
        is_endless = self._left is None and not request.META.get("wsgi.input_terminated")
        self._is_over = self._is_broken = is_endless

    @property
    def is_whole(self) -> bool:
        """True once all of it was read."""
        return not self._is_broken and self._left in (None, 0)

    def read(self, size: int = PIECE) -> bytes:
        """The next piece; empty at the end, or if the connection broke."""
        if self._is_over or size <= 0:
            return b""
        wanted = min(size, PIECE)
        try:
            piece: bytes = self._stream.read(
                wanted if self._left is None else min(wanted, self._left)
            )
        except OSError:
            piece, self._is_broken = b"", True
        if self._left is not None:
            self._left -= len(piece)
        self._is_over = not piece
        return piece


def _firmware(request: HttpRequest, drop: Drop) -> HttpResponseBase:
    firmware = drop.firmware
    assert firmware is not None
    if request.method not in ("GET", "HEAD"):
        response: HttpResponseBase = _text(405, "Fetch it with GET.")
        response["Allow"] = "GET, HEAD"
        return response
    if conf.by_nginx():
        return _left_to_nginx(request, drop, firmware)
    etag = f'"{firmware.sha256}"'
    wanted = request.META.get("HTTP_RANGE", "")
    if request.META.get("HTTP_IF_RANGE", etag) != etag:
        wanted = ""
    part = _range(wanted, firmware.size)
    if part is None:
        response = _text(416, "There is no such range.")
        response["Content-Range"] = f"bytes */{firmware.size}"
        return response
    first, last = part
    is_part = (first, last) != (0, firmware.size - 1)
    size = last - first + 1
    if request.method == "HEAD":
        response = HttpResponse()
    else:
        try:
            file = storage.path_of(firmware.path).open("rb")
        except OSError:
            return _gone(drop, firmware)
        try:
            file.seek(first)
            drops.note_fetched(drop, size)
        except BaseException:
            file.close()
            raise
        # A server with a way of its own to send files stops at Content-Length.
        has_wrapper = "wsgi.file_wrapper" in request.META
        response = _WithPlace(file if has_wrapper else _Part(file, size))
    response.status_code = 206 if is_part else 200
    if is_part:
        response["Content-Range"] = f"bytes {first}-{last}/{firmware.size}"
    response["Content-Length"] = str(size)
    response["Content-Type"] = "application/octet-stream"
    response["Accept-Ranges"] = "bytes"
    response["ETag"] = etag
    response["Content-Disposition"] = "attachment"
    return response


def _left_to_nginx(request: HttpRequest, drop: Drop, firmware: Firmware) -> HttpResponse:
    """A slow charger holds no thread of ours: nginx sends the file, and cuts out parts of it."""
    try:
        path = storage.share_with_group(firmware.path)
    except OSError:
        return _gone(drop, firmware)
    if request.method == "GET":
        part = _range(request.META.get("HTTP_RANGE", ""), firmware.size)
        drops.note_fetched(drop, part[1] - part[0] + 1 if part else 0)
    response = HttpResponse(content_type="application/octet-stream")
    response["X-Accel-Redirect"] = f"{BY_NGINX}{path.name}"
    response["Content-Disposition"] = "attachment"
    return response


def _gone(drop: Drop, firmware: Firmware) -> HttpResponse:
    drops.note_trouble(drop, "the firmware is not on the disk any more: upload it again")
    log.error("the file of firmware %s is missing", firmware.pk)
    return _text(404, "The file is gone.")


class _Part:
    """The next bytes of a file, and no more."""

    def __init__(self, file: Any, size: int) -> None:
        self._file, self._left = file, size

    def read(self, size: int = -1) -> bytes:
        piece: bytes = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        self._file.close()


def _range(text: str, size: int) -> tuple[int, int] | None:
    """(first byte, last byte); all of it for no range or several; None for one that is not there
    (RFC 9110, 14.2)."""
    whole = 0, size - 1
    unit, _, spec = text.partition("=")
    first, dash, last = spec.strip().partition("-")
    if unit.strip().lower() != "bytes" or not dash or "," in spec:
        return whole
    digits = [part for part in (first, last) if part]
    if not digits or any(not (part.isascii() and part.isdigit()) for part in digits):
        return whole
    if not first:
        begin, end = max(0, size - int(last)), size - 1
    else:
        begin, end = int(first), min(int(last), size - 1) if last else size - 1
        if last and int(last) < int(first):
            return whole
    return (begin, end) if begin <= end else None


def _text(status: int, text: str, *, retry: bool = False) -> HttpResponse:
    body = f"{text}\n".encode()
    response = HttpResponse(body, content_type="text/plain; charset=utf-8", status=status)
    response["Content-Length"] = str(len(body))
    if retry:
        response["Retry-After"] = "60"
    return response
