"""Files of statements as answers to a browser or a program."""

from django.http import HttpResponse

__all__ = ["as_download"]

TYPES = {
    "pdf": "application/pdf",
    "csv": "text/csv; charset=utf-8",
    "datev": "text/csv; charset=windows-1252",
    "xml": "application/xml",
    "zip": "application/zip",
}
SUFFIXES = {"datev": "csv"}


def as_download(content: bytes, name: str, kind: str) -> HttpResponse:
    """A file for the browser to keep."""
    # A header is ASCII.
    safe = "".join(
        sign if sign.isascii() and (sign.isalnum() or sign in "-_") else "_" for sign in name
    )
    return HttpResponse(
        content,
        content_type=TYPES[kind],
        headers={
            "Content-Disposition": f'attachment; filename="{safe}.{SUFFIXES.get(kind, kind)}"',
            "X-Content-Type-Options": "nosniff",
        },
    )
