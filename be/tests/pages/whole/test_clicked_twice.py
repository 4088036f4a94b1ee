"""Every button behind which there is a Call, pressed twice: one Call, and the same page twice."""

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connections
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.files import jobs, storage
from levity.files.models import Campaign, Firmware
from levity.ocpp.models import (
    CertificateAuthority,
    ChargePoint,
    Command,
    FileJob,
    InstalledCertificate,
    InstalledProfile,
    LocalList,
    MassCommand,
    RequestKey,
)

HOST = {"HTTP_HOST": "localhost"}
RESET = {"action": "Reset", "payload": {"type": "Soft"}}


@pytest.fixture
def charger(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch, db: None) -> Any:
    settings.LEVITY_FILES_DIR = str(tmp_path / "files")
    monkeypatch.setattr(storage, "free", lambda: 10 * storage.RESERVE)
    return ChargePoint.objects.create(identity="CP1")


def ask(kind: str, row: Any) -> str:
    return reverse(f"admin:ocpp_{row._meta.model_name}_decide", args=[row.pk, kind])


def certificate(row: ChargePoint) -> str:
    now = timezone.now()
    CertificateAuthority.objects.create(organization="Co-op", not_before=now, not_after=now)
    return security("certificate")(row)


def security(kind: str) -> Callable[[ChargePoint], str]:
    return lambda row: reverse(f"admin:ocpp_chargepoint_security_{kind}", args=[row.pk])


def profile(row: ChargePoint) -> str:
    made = InstalledProfile.objects.create(
        charge_point=row, profile_id=5, stack_level=0, connector=0, installed_at=timezone.now()
    )
    return ask("clear", made)


def trusted(kind: str) -> Callable[[ChargePoint], str]:
    def address(row: ChargePoint) -> str:
        made = InstalledCertificate.objects.create(
            charge_point=row,
            type="ManufacturerRootCertificate",
            hash_algorithm="SHA256",
            issuer_name_hash="a",
            issuer_key_hash="b",
            serial_number="1",
        )
        return ask(kind, made)

    return address


def local_list(row: ChargePoint) -> str:
    return ask("clear", LocalList.objects.create(charge_point=row, is_on=True))


def job(row: ChargePoint) -> FileJob:
    return jobs.fetch_diagnostics(row, None, jobs.Asking("localhost", secure=False))


def mass(row: ChargePoint) -> MassCommand:
    made = MassCommand.objects.create(**RESET)
    Command.objects.create(charge_point=row, state="expired", mass=made, **RESET)
    return made


def firmware() -> Firmware:
    return Firmware.objects.create(version="2", name="fw.bin", path="firmware/x", size=1)


# The page with the form, the form's own address if it has another, what is typed in, the Calls.
Case = tuple[Callable[[ChargePoint], str], Callable[[ChargePoint], str] | None, dict[str, Any], int]
CASES: dict[str, Case] = {
    "clear a profile": (profile, None, {}, 1),
    "ask for certificates": (trusted("ask"), None, {}, 2),
    "delete a certificate": (trusted("delete"), None, {}, 1),
    "clear a list": (local_list, None, {}, 1),
    "change the key": (security("rotate"), None, {}, 1),
    "raise the profile": (security("raise"), None, {"profile": "1"}, 1),
    "ask for a certificate": (certificate, None, {}, 1),
    "fetch diagnostics": (
        lambda row: reverse("admin:files_fetch", args=[row.pk]),
        None,
        {"what": "diagnostics"},
        1,
    ),
    "update firmware": (
        lambda row: reverse("admin:files_update", args=[row.pk]),
        None,
        {"firmware": firmware},
        1,
    ),
    "read the configuration": (
        lambda row: reverse("admin:ocpp_chargepoint_configuration", args=[row.pk]),
        lambda row: reverse("admin:ocpp_chargepoint_configuration_read", args=[row.pk]),
        {},
        1,
    ),
    "the other protocol": (
        lambda row: reverse("admin:ocpp_filejob_change", args=[job(row).pk]),
        lambda row: reverse("admin:files_other_way", args=[FileJob.objects.latest("pk").pk]),
        {},
        1,
    ),
    "once more": (
        lambda row: reverse("admin:ocpp_masscommand_change", args=[mass(row).pk]),
        lambda row: reverse("admin:ocpp_masscommand_retry", args=[MassCommand.objects.get().pk]),
        {},
        1,
    ),
}
BEGUN = {"wave_size": 1, "pause_minutes": 0, "stop_after": 1, "patience_minutes": 60, "sure": "1"}


def twice(client: Client, page: str, address: str, typed: dict[str, Any]) -> None:
    """The form is filled in once, and comes two times."""
    data = {name: given().pk if callable(given) else given for name, given in typed.items()}
    text = client.get(page, **HOST).content.decode()
    key = re.search(r'name="once" value="([^"]+)"', text)
    assert key
    if '<select name="base"' in text:
        data["base"] = re.findall(r'<option value="(http[^"]+)"', text)[0]
    first = client.post(address, {**data, "once": key[1]}, **HOST)
    made = Command.objects.count()
    again = client.post(address, {**data, "once": key[1]}, **HOST)
    assert again.status_code == 302
    if first.status_code == 302:
        assert again["Location"] == first["Location"]
    assert Command.objects.count() == made


@pytest.mark.parametrize("name", CASES)
def test_a_button_that_is_pressed_twice_is_one_call(
    name: str, charger: ChargePoint, browser: Callable[..., Client], root: User
) -> None:
    """W-14."""
    page, elsewhere, typed, calls = CASES[name]
    where = page(charger)
    before = Command.objects.count()
    address = elsewhere(charger) if elsewhere else where
    twice(browser(root), where, address, typed)
    assert Command.objects.count() == before + calls


def test_a_campaign_is_begun_once(
    charger: ChargePoint, browser: Callable[..., Client], root: User
) -> None:
    page = f"{reverse('admin:files_campaign_begin')}?ids={charger.pk}"
    twice(browser(root), page, page, {**BEGUN, "firmware": firmware})
    assert Campaign.objects.count() == 1


def test_the_second_click_is_told_what_the_first_one_was(
    charger: ChargePoint, browser: Callable[..., Client], root: User
) -> None:
    """A browser drops the answer to the first."""
    page, client = profile(charger), browser(root)
    InstalledProfile.objects.update(state="cleared")
    for _ in range(2):
        client.cookies.pop("messages", None)
        answer = client.post(page, {"once": "a"}, follow=True)
        assert "This profile is not installed any more" in answer.content.decode()
    # Without a key, and with another content, it is another wish.
    assert RequestKey.objects.count() == 1
    client.post(page, {"once": "a", "more": "1"})
    assert RequestKey.objects.count() == 2


def test_a_form_with_errors_can_be_sent_again(
    charger: ChargePoint, browser: Callable[..., Client], root: User
) -> None:
    client = browser(root)
    page = reverse("admin:ocpp_chargepoint_security_raise", args=[charger.pk])
    for _ in range(2):
        answer = client.post(page, {"once": "a", "profile": "9"})
        assert answer.status_code == 200
    assert not RequestKey.objects.exists()


@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_100_of_100_clicks_are_25_calls(
    transactional_db: None, charger: ChargePoint, browser: Callable[..., Client]
) -> None:
    """W-14: four threads press each button."""
    client = browser(User.objects.create_superuser("root"))
    page = trusted("delete")(charger)

    def press(number: int) -> str:
        try:
            mine = Client()
            mine.cookies = client.cookies
            answer = mine.post(page, {"once": f"{number // 4}"})
            assert answer.status_code == 302, answer.content
            return str(answer["Location"])
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        assert len(set(pool.map(press, range(100)))) == 1
    assert Command.objects.count() == 25
