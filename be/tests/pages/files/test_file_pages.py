"""Pages about files: ordered with two clicks, downloaded by those who may, and nobody else."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Group, User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from levity.accounts.models import Account
from levity.files import conf, kept, storage
from levity.files.models import Campaign, CampaignTarget, Firmware, StoredFile
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.models import AuditEntry, ChargePoint, Command, FileJob, Site

pytestmark = pytest.mark.django_db
HOST = "localhost"
ONLINE = "00000000-0000-0000-0000-000000000001"


@pytest.fixture(autouse=True)
def files_folder(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Path:
    settings.LEVITY_FILES_DIR = str(tmp_path / "files")
    monkeypatch.setattr(storage, "free", lambda: 10 * storage.RESERVE)
    return conf.folder()


def browser(name: str, role: str, *sites: Site) -> Client:
    user = User.objects.create_user(name, is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    if sites:
        account = Account.objects.create(user=user, limited=True)
        account.sites.set(sites)
    client = Client()
    client.force_login(user)
    return client


def stored(row: ChargePoint, name: str = "diag.html") -> StoredFile:
    written = storage.write(storage.UPLOADS, [b"<script>alert(1)</script>"], 1000)
    job = FileJob.objects.create(charge_point=row, kind="diagnostics", is_own=True)
    return StoredFile.objects.create(
        job=job,
        charge_point=row,
        name=name,
        size=written.size,
        sha256=written.sha256,
        path=written.path,
        protocol="http",
    )


def test_diagnostics_are_fetched_without_a_url_being_typed() -> None:
    row = ChargePoint.objects.create(identity="CP1", connection=ONLINE)
    client = browser("anna", "Operator")
    page = client.get(f"/admin/ocpp/chargepoint/{row.pk}/change/").content.decode()
    address = f"/admin/ocpp/filejob/fetch/{row.pk}/"
    assert address in page
    form = client.get(address, HTTP_HOST=HOST)
    base = form.context["form"].fields["base"].choices[0][0]
    assert base in form.content.decode()
    sent = client.post(address, {"what": "diagnostics", "base": base}, HTTP_HOST=HOST)
    job = FileJob.objects.get()
    assert sent.headers["Location"] == f"/admin/ocpp/filejob/{job.pk}/change/"
    assert Command.objects.get().requested_by == User.objects.get(username="anna")
    shown = client.get(sent.headers["Location"]).content.decode()
    assert "Waiting to be sent." in shown
    wrong = client.post(address, {"what": "diagnostics", "base": "http://10.0.0.1"}, HTTP_HOST=HOST)
    assert (wrong.status_code, FileJob.objects.count()) == (200, 1)


def test_a_file_is_an_attachment_and_its_download_is_in_the_audit() -> None:
    row = stored(ChargePoint.objects.create(identity="CP1"))
    answer = browser("vera", "Viewer").get(f"/admin/ocpp/filejob/download/{row.pk}/")
    assert b"".join(answer.streaming_content) == b"<script>alert(1)</script>"  # type: ignore[attr-defined]
    assert answer.headers["Content-Disposition"] == 'attachment; filename="diag.html"'
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    entry = AuditEntry.objects.get()
    assert (entry.what, entry.who_name) == ("downloaded diag.html", "vera")


def test_files_of_other_sites_are_not_there() -> None:
    mine, other = Site.objects.create(name="mine"), Site.objects.create(name="other")
    foreign = ChargePoint.objects.create(identity="CP2", site=other)
    row = stored(foreign)
    client = browser("lena", "Operator", mine)
    assert client.get(f"/admin/ocpp/filejob/download/{row.pk}/").status_code == 404
    assert client.get(f"/admin/ocpp/filejob/fetch/{foreign.pk}/").status_code == 404
    assert client.post(f"/admin/ocpp/filejob/{row.job_id}/other/").status_code == 404
    assert "CP2" not in client.get("/admin/ocpp/filejob/").content.decode()
    with pytest.raises(NotAllowed):
        kept.open_file(row, User.objects.get(username="lena"))


def test_a_viewer_orders_nothing() -> None:
    row = ChargePoint.objects.create(identity="CP1")
    client = browser("vera", "Viewer")
    for path in (f"filejob/fetch/{row.pk}/", f"filejob/update/{row.pk}/"):
        assert client.get(f"/admin/ocpp/{path}").status_code == 403
    assert client.get("/admin/files/firmware/add/").status_code == 403
    assert client.get("/admin/files/campaign/begin/?ids=1").status_code == 403


def test_more_than_a_campaign_takes_from_the_list_are_refused_and_never_cut() -> None:
    """500 of 1,500 chargers would have kept their old firmware, without a word of it."""
    rows = [ChargePoint(identity=f"C{n}", pk=10_000_000 + n) for n in range(5_001)]
    ChargePoint.objects.bulk_create(rows)
    firmware = Firmware.objects.create(version="2.0", name="fw.bin", size=1, path="x")
    client = browser("anna", "Operator")
    chosen = {"action": "update_in_waves", "select_across": "1", "index": "0"}
    there = "/admin/ocpp/chargepoint/"
    form = {**chosen, "_selected_action": [rows[1].pk]}
    page = client.post(there, form, follow=True).content.decode()
    assert "Select at most 5,000 charge points for this" in page
    ChargePoint.objects.get(identity="C0").delete()
    # Their keys stand in no address: nginx takes 8 kB of one.
    on: Any = client.post(there, form)
    assert "5,000 charge points are selected" in on.content.decode()
    asked: Any = client.post(on.context["address"], {"ids": on.context["ids"]})
    assert "For 5000 charge points: " in asked.content.decode()
    assert "and 4950 more" in asked.content.decode()
    values = {
        "ids": asked.context["ids"],
        "firmware": firmware.pk,
        "wave_size": "500",
        "pause_minutes": "0",
        "stop_after": "1",
        "patience_minutes": "10",
        "sure": "yes",
    }
    begun = client.post("/admin/files/campaign/begin/", values)
    campaign = Campaign.objects.get()
    assert begun["Location"] == f"/admin/files/campaign/{campaign.pk}/change/"
    assert campaign.targets.count() == 5_000
    last = campaign.targets.order_by("-pk")[:1]
    CampaignTarget.objects.filter(pk__in=[row.pk for row in last]).update(state="failed")
    shown = client.get(begun["Location"]).content.decode()
    assert "And 4500 more" in shown
    assert str(last[0].charge_point) in shown


def test_what_speaks_against_a_firmware_is_looked_for_at_all_of_them() -> None:
    """Of more than 500, the others were not looked at."""
    rows = [ChargePoint(identity=f"C{n:03}", vendor="A") for n in range(600)]
    rows[-1].vendor = "B"
    ChargePoint.objects.bulk_create(rows)
    firmware = Firmware.objects.create(version="2.0", name="fw.bin", size=1, path="x", vendor="A")
    values = {
        "ids": ",".join(str(row.pk) for row in rows),
        "firmware": firmware.pk,
        "wave_size": "5",
        "pause_minutes": "0",
        "stop_after": "1",
        "patience_minutes": "10",
    }
    page = browser("anna", "Operator").post("/admin/files/campaign/begin/", values)
    assert "C599 reports another vendor" in page.content.decode()


def test_firmware_is_uploaded_and_sent_in_waves() -> None:
    rows = [ChargePoint.objects.create(identity=f"C{n}", connection=None) for n in range(2)]
    client = browser("anna", "Operator")
    file = SimpleUploadedFile("fw.bin", b"firmware")
    added = client.post("/admin/files/firmware/add/", {"file": file, "version": "2.0"})
    assert added.status_code == 302, added.content.decode()
    firmware = Firmware.objects.get()
    assert (firmware.name, firmware.size) == ("fw.bin", 8)
    assert storage.path_of(firmware.path).read_bytes() == b"firmware"
    address = f"/admin/files/campaign/begin/?ids={rows[0].pk},{rows[1].pk}"
    values = {"firmware": firmware.pk, "wave_size": 1, "pause_minutes": 0}
    values |= {"stop_after": 1, "patience_minutes": 60}
    asked = client.post(address, values).content.decode()
    assert "This firmware names no vendor or model" in asked
    assert Campaign.objects.count() == 0
    begun = client.post(address, {**values, "sure": "yes"})
    campaign = Campaign.objects.get()
    page = client.get(begun.headers["Location"]).content.decode()
    assert "2 waiting" in page
    for what, state in (("pause", "paused"), ("resume", "running"), ("cancel", "cancelled")):
        client.post(f"/admin/files/campaign/{campaign.pk}/do/{what}/")
        campaign.refresh_from_db()
        assert campaign.state == state


def test_a_firmware_finds_the_charge_points_that_it_is_for() -> None:
    client = browser("adam", "Admin")
    new = Firmware.objects.create(version="2", vendor="Acme", name="f", size=1, path="x")
    make = {"vendor": "Acme", "model": "One"}
    fits = ChargePoint.objects.create(identity="CP1", firmware_version="1", **make)
    ChargePoint.objects.create(identity="CP2", firmware_version="2", **make)
    ChargePoint.objects.create(identity="CP3", vendor="Other")
    page = client.get(f"/admin/files/firmware/{new.pk}/change/").content.decode()
    address = f"/admin/files/campaign/begin/?firmware={new.pk}"
    assert address in page
    assert address in client.get("/admin/files/firmware/").content.decode()
    chosen = client.get(address)
    assert [row.identity for row, ticked in chosen.context["charge_points"] if ticked] == ["CP1"]
    assert chosen.content.decode().count(' name="ids"') == 3
    form = client.get(f"{address}&ids={fits.pk}")
    assert form.context["form"].initial["firmware"] == new
    viewer = browser("vera", "Viewer")
    assert "Send in waves" not in viewer.get("/admin/files/firmware/").content.decode()
    assert viewer.get(address).status_code == 403


def test_an_empty_firmware_and_half_a_signature_are_refused() -> None:
    client = browser("anna", "Operator")
    for values, said in (
        ({"file": SimpleUploadedFile("f", b""), "version": "1"}, "empty"),
        (
            {"file": SimpleUploadedFile("f", b"x"), "version": "1", "signature": "abc"},
            "a signature needs its certificate",
        ),
    ):
        page = client.post("/admin/files/firmware/add/", values).content.decode()
        assert said in page.lower()
    assert Firmware.objects.count() == 0


def test_a_file_is_deleted_by_an_admin_only() -> None:
    row = stored(ChargePoint.objects.create(identity="CP1"))
    address = f"/admin/ocpp/filejob/{row.job_id}/remove/"
    assert browser("anna", "Operator").post(address, {"file": row.pk}).status_code == 403
    client = browser("root", "Admin")
    page = client.get(f"/admin/ocpp/filejob/{row.job_id}/change/").content.decode()
    assert 'form="lv-remove"' in page
    assert client.post(address, {"file": row.pk}).status_code == 302
    assert StoredFile.objects.count() == 0
    assert not storage.path_of(row.path).exists()


def test_times_of_a_log_are_asked_for_at_the_sites_clock() -> None:
    site = Site.objects.create(name="Home", time_zone="Europe/Berlin")
    row = ChargePoint.objects.create(identity="CP1", connection=ONLINE, site=site)
    client, address = browser("anna", "Operator"), f"/admin/ocpp/filejob/fetch/{row.pk}/"
    form = client.get(address, HTTP_HOST=HOST)
    assert b"Time in Europe/Berlin." in form.content
    base = form.context["form"].fields["base"].choices[0][0]
    data = {"what": "diagnostics", "base": base, "since": "2026-11-30T14:05"}
    assert client.post(address, data, HTTP_HOST=HOST).status_code == 302
    assert Command.objects.get().payload["startTime"] == "2026-11-30T13:05:00.000Z"


def test_the_menu_of_a_charger_has_files_and_reservations_once() -> None:
    row = ChargePoint.objects.create(identity="CP1")
    page = browser("anna", "Operator").get(f"/admin/ocpp/chargepoint/{row.pk}/change/")
    text = page.content.decode()
    assert 'data-key="reserve" data-words="reserve a connector' in text
    assert text.count(f"/reserve/?charge_point={row.pk}") == 1
    for name, what in (("files_fetch", "fetch"), ("files_update", "update")):
        assert f'data-key="{name}"' in text
        assert text.count(f"/admin/ocpp/filejob/{what}/{row.pk}/") == 2  # a button, and the menu
