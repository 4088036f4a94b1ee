"""Uploads as forms: the first file in a multipart body, written to the disk as it comes."""

from typing import Any, cast

from django.core.exceptions import SuspiciousOperation
from django.core.files.uploadhandler import FileUploadHandler, StopUpload
from django.http import HttpRequest
from django.http.multipartparser import MultiPartParser, MultiPartParserError

from levity.files import conf
from levity.files.storage import Incoming, NotStored
from levity.files.web import Body

__all__ = ["take_multipart"]


class _IntoStorage(FileUploadHandler):
    """Hands the pieces of the first file on; those of others go nowhere."""

    def __init__(self, incoming: Incoming) -> None:
        super().__init__()
        self.incoming, self.called = incoming, ""
        self.fields, self.is_whole = 0, False
        self.refused: NotStored | None = None

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        super().new_file(*args, **kwargs)
        self.fields += 1
        if self.fields == 1:
            self.called = self.file_name or ""

    def receive_data_chunk(self, raw_data: bytes, start: int) -> None:
        if self.fields == 1:
            try:
                self.incoming.write(raw_data)
            except NotStored as error:
                self.refused = error
                raise StopUpload(connection_reset=True) from error

    def file_complete(self, file_size: int) -> None:
        self.is_whole = True

    def upload_interrupted(self) -> None:
        self.is_whole = False


def take_multipart(request: HttpRequest, incoming: Incoming) -> tuple[str, bool]:
    """(the name of the file, whether all of it came). Raises `NotStored`."""
    handler, body = _IntoStorage(incoming), Body(request)
    meta = dict(request.META)
    if not (meta.get("CONTENT_LENGTH") or "").isdigit():
        meta["CONTENT_LENGTH"] = str(conf.limits()[0] + conf.MEGABYTE)
    try:
        MultiPartParser(meta, cast("Any", body), [handler]).parse()
    except (MultiPartParserError, SuspiciousOperation):
        return handler.called, False
    if handler.refused is not None:
        raise handler.refused
    return handler.called, handler.is_whole and body.is_whole
