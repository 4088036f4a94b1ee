"""A charger that is told to upload or to fetch, and a folder for its files."""

from pathlib import Path
from typing import Any

import pytest

from levity.files import conf, jobs, storage
from levity.files.models import Drop, Firmware
from levity.ocpp.chargers.security.concealment import reveal
from levity.ocpp.models import ChargePoint, FileJob

__all__ = ["Ordered", "firmware_of", "url_of"]


@pytest.fixture(autouse=True)
def files_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.LEVITY_FILES_DIR = str(tmp_path / "files")
    monkeypatch.setattr(storage, "free", lambda: 10 * storage.RESERVE)
    return conf.folder()


def url_of(job: FileJob) -> str:
    """The URL that the charger is sent."""
    assert job.command is not None
    payload = reveal(job.command.secret)
    where: Any = payload.get("location")
    if where is None:
        inner = payload.get("log") or payload["firmware"]
        where = inner.get("remoteLocation") or inner["location"]
    return str(where)


class Ordered:
    """A charge point, and jobs for it."""

    def __init__(self, identity: str = "CP1", called: str = "192.0.2.1:8000") -> None:
        self.row = ChargePoint.objects.create(identity=identity, remote_address="")
        self.asking = jobs.Asking(called=called, protocol="http")

    def diagnostics(self) -> FileJob:
        return jobs.fetch_diagnostics(self.row, None, self.asking)

    def update(self, firmware: Firmware) -> FileJob:
        return jobs.update_firmware(self.row, firmware, None, self.asking)


def firmware_of(content: bytes, name: str = "fw.bin", version: str = "2.0") -> Firmware:
    """This content as a firmware."""
    written = storage.write(storage.FIRMWARE, [content], 10_000_000)
    return Firmware.objects.create(
        version=version, name=name, size=written.size, sha256=written.sha256, path=written.path
    )


def drop_of(job: FileJob) -> Drop:
    return Drop.objects.get(job=job)
