"""What people do with files that are here: download, delete, upload a firmware."""

from collections.abc import Iterable
from typing import Any, BinaryIO

from django.db import transaction

from levity.files import conf, storage
from levity.files.drops import clean_name
from levity.files.models import Campaign, Drop, Firmware, StoredFile
from levity.files.storage import NotStored
from levity.ocpp.audit import Who, note, person
from levity.ocpp.deciding import NotPossible, check

__all__ = [
    "ADD_FIRMWARE",
    "DELETE",
    "DOWNLOAD",
    "add_firmware",
    "delete_file",
    "delete_firmware",
    "forget_broken",
    "open_file",
]

DOWNLOAD, DELETE = "files.view_storedfile", "files.delete_storedfile"
ADD_FIRMWARE = "files.add_firmware"


def open_file(row: StoredFile, who: Who) -> BinaryIO:
    """To be downloaded; that is in the audit. Raises `NotAllowed` or `NotPossible`."""
    check(row, who, DOWNLOAD)
    try:
        file = storage.path_of(row.path).open("rb")
    except OSError as error:
        raise NotPossible(
            "the file is not on the disk any more: it was deleted, or not restored from a backup"
        ) from error
    note(who, [row], f"downloaded {row.name}")
    return file


def delete_file(row: StoredFile, who: Who) -> None:
    """For good."""
    check(row, who, DELETE)
    with transaction.atomic():
        note(who, [row], f"deleted {row.name}")
        row.delete()
    storage.remove(row.path)


def add_firmware(chunks: Iterable[bytes], name: str, values: dict[str, Any], who: Who) -> Firmware:
    """Store a firmware that somebody uploads; `values` are the other fields of the row."""
    check(Firmware(), who, ADD_FIRMWARE)
    version = str(values.get("version", "")).strip()
    if not version:
        raise NotPossible("enter the version as the charger reports it")
    if bool(values.get("signature")) != bool(values.get("signing_certificate")):
        raise NotPossible("a signature needs its certificate, and the other way round")
    try:
        written = storage.write(storage.FIRMWARE, chunks, conf.limits()[2])
    except NotStored as error:
        raise NotPossible(f"not stored: {error}") from error
    try:
        if not written.size:
            raise NotPossible("the file is empty")
        with transaction.atomic():
            row = Firmware.objects.create(
                **{**values, "version": version},
                name=clean_name(name) or "firmware.bin",
                size=written.size,
                sha256=written.sha256,
                path=written.path,
                uploaded_by=person(who),
            )
            note(who, [row], f"uploaded, {written.size} bytes, SHA-256 {written.sha256}")
    except BaseException:
        storage.remove(written.path)
        raise
    return row


def forget_broken(row: Firmware) -> None:
    """One that was cut off on its way here, a moment after it was stored."""
    with transaction.atomic():
        note(None, [row], "deleted: the upload was cut off")
        row.delete()
    storage.remove(row.path)


def delete_firmware(row: Firmware, who: Who) -> None:
    """For good; not while a charger may still fetch it."""
    check(row, who, "files.delete_firmware")
    if Campaign.objects.filter(firmware=row).exists() or Drop.objects.filter(firmware=row).exists():
        raise NotPossible("it was sent to chargers, and their jobs refer to it")
    with transaction.atomic():
        note(who, [row], "deleted")
        row.delete()
    storage.remove(row.path)
