"""The command line, retention, and `levity storage`."""

import io
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from levity.files import storage
from levity.files.models import Campaign, Firmware, StoredFile
from levity.files.retention import prune_files, said_of_files
from levity.ocpp.models import ChargePoint, FileJob
from tests.files.conftest import Ordered, url_of

pytestmark = pytest.mark.django_db


def said(*words: str) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, stderr=io.StringIO())
    return out.getvalue()


def test_firmware_is_added_listed_and_sent(tmp_path: Path) -> None:
    file = tmp_path / "fw.bin"
    file.write_bytes(b"x" * 2_500_000)
    assert "there is no firmware yet" in said("firmware", "list")
    assert "2,500,000 bytes" in said("firmware", "add", str(file), "--version", "2.0")
    row = Firmware.objects.get()
    assert "2.0  fw.bin" in said("firmware", "list")
    ChargePoint.objects.create(identity="CP1")
    assert "begins within seconds" in said("firmware", "send", str(row.pk), "CP1", "--wave", "1")
    assert Campaign.objects.get().wave_size == 1
    with pytest.raises(CommandError, match="no charge point CP9"):
        said("firmware", "send", str(row.pk), "CP9")


def test_diagnostics_are_fetched() -> None:
    ChargePoint.objects.create(identity="CP1")
    assert "The charger is offline" in said("fetch_diagnostics", "CP1", "--protocol", "http")
    assert FileJob.objects.get().state == "queued"


def test_old_uploads_and_what_nobody_knows_are_deleted(files_folder: Path) -> None:
    job = Ordered().diagnostics()
    Client().put("/" + url_of(job).split("/", 3)[3], b"x", content_type="text/plain")
    row = StoredFile.objects.get()
    orphan = files_folder / "uploads" / "0123"
    orphan.write_bytes(b"x")
    assert prune_files(timezone.now()) == 0
    assert orphan.exists()
    import os

    os.utime(orphan, (0, 0))
    assert prune_files(timezone.now()) == 1
    assert not orphan.exists()
    assert storage.path_of(row.path).exists()
    assert prune_files(timezone.now() + timedelta(days=91)) == 1
    assert not storage.path_of(row.path).exists()
    assert "0 uploads" in said_of_files()
