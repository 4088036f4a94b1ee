"""Chargers' files over the API."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from levity.files import storage
from levity.files.models import Campaign, Firmware, StoredFile
from levity.ocpp.models import ChargePoint, FileJob, Site
from tests.api.conftest import V1, Caller
from tests.files.conftest import url_of

Make = Callable[..., Caller]


@pytest.fixture(autouse=True)
def files_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    settings.LEVITY_FILES_DIR = str(tmp_path / "files")
    monkeypatch.setattr(storage, "free", lambda: 10 * storage.RESERVE)


def test_diagnostics_are_fetched_and_downloaded(caller: Make) -> None:
    ChargePoint.objects.create(identity="CP1")
    client = caller("operate")
    asked = client("POST", "charge-points/cp1/diagnostics", {"protocol": "http"})
    assert asked.status_code == 202, asked.content
    job = FileJob.objects.get()
    assert asked.json()["location"].endswith("/files/lvdrop-***/")
    path = "/" + url_of(job).split("/", 3)[3]
    assert Client().put(f"{path}a.log", b"log", content_type="text/plain").status_code == 201
    shown = client.get(f"file-jobs/{job.pk}")
    # The same, asked for without a body; the newest comes first.
    again = client("POST", "charge-points/cp1/diagnostics")
    assert again.status_code == 202
    newest = client.get("file-jobs", limit=1)["items"]
    assert [row["id"] for row in newest] == [again.json()["id"]]
    assert [file["name"] for file in shown["files"]] == ["a.log"]
    file = client("GET", f"files/{shown['files'][0]['id']}/content")
    assert b"".join(file.streaming_content) == b"log"  # type: ignore[attr-defined]
    assert file["Content-Disposition"] == 'attachment; filename="a.log"'


def test_firmware_is_uploaded_and_sent_in_waves(caller: Make) -> None:
    ChargePoint.objects.create(identity="CP1")
    client = caller("operate")
    response = client.browser.generic(
        "POST",
        f"{V1}/firmware",
        b"firmware",
        content_type="application/octet-stream",
        query_params={"name": "fw.bin", "version": "2.0"},
        headers={"Authorization": f"Bearer {client.token}"},
    )
    assert response.status_code == 201, response.content
    row = Firmware.objects.get()
    assert response.json()["sha256"] == row.sha256
    assert (
        client("POST", "charge-points/CP1/firmware-update", {"firmware_id": row.pk}).json()["kind"]
        == "firmware"
    )
    begun = client("POST", "firmware-campaigns", {"firmware_id": row.pk, "charge_points": ["CP1"]})
    assert begun.status_code == 202, begun.content
    number = begun.json()["id"]
    targets = client.get(f"firmware-campaigns/{number}/charge-points")["items"]
    assert [(each["charge_point"], each["state"]) for each in targets] == [("CP1", "waiting")]
    assert client("POST", f"firmware-campaigns/{number}/pause").json()["state"] == "paused"
    assert client("POST", f"firmware-campaigns/{number}/pause").status_code == 409


def test_a_campaign_takes_a_whole_site_and_never_a_part_of_what_was_named(caller: Make) -> None:
    """A list of more than 1,000 was refused, and a site could not be named."""
    mine = Site.objects.create(name="mine")
    rows = [ChargePoint(identity=f"C{n}", site=mine) for n in range(1_200)]
    ChargePoint.objects.bulk_create([*rows, ChargePoint(identity="ELSEWHERE")])
    ChargePoint.objects.filter(identity="C0").update(retired_at=timezone.now())
    firmware = Firmware.objects.create(version="2.0", name="fw.bin", size=1, path="x")
    client, asked = caller("operate"), {"firmware_id": firmware.pk}
    wishes = ({"charge_points": [row.identity for row in rows]}, {"site": mine.pk})
    sizes = []
    for wish in wishes:
        begun = client("POST", "firmware-campaigns", {**asked, **wish})
        assert begun.status_code == 202, begun.content
        sizes.append(Campaign.objects.get(pk=begun.json()["id"]).targets.count())
    assert sizes == [1_200, 1_199]
    for wish in ({}, {"site": mine.pk, "charge_points": ["C1"]}, {"site": 10**6}):
        assert client("POST", "firmware-campaigns", {**asked, **wish}).status_code == 422
    more = [ChargePoint(identity=f"D{n}", site=mine) for n in range(4_000)]
    ChargePoint.objects.bulk_create(more)
    refused = client("POST", "firmware-campaigns", {**asked, "site": mine.pk})
    assert (refused.status_code, Campaign.objects.count()) == (409, 2)
    assert "at most 5,000" in refused.json()["detail"]


def test_others_files_are_not_there(caller: Make) -> None:
    mine, other = Site.objects.create(name="mine"), Site.objects.create(name="other")
    row = ChargePoint.objects.create(identity="CP1", site=other)
    job = FileJob.objects.create(charge_point=row, kind="diagnostics")
    file = StoredFile.objects.create(job=job, charge_point=row, name="x", size=1, path="uploads/a")
    client = caller("operate", sites=[mine])
    assert client("GET", f"file-jobs/{job.pk}").status_code == 404
    assert client("GET", f"files/{file.pk}/content").status_code == 404
    assert client("POST", "charge-points/CP1/diagnostics", {}).status_code == 404
    assert client.get("file-jobs")["items"] == []
