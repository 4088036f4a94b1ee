"""Pages for many charge points: set the same, a CSV file, and new hardware for old."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client

from levity.ocpp.models import ChargePoint, Site
from tests.pages.whole.conftest import browser, person

__all__ = ["browser", "person"]

pytestmark = pytest.mark.django_db
LIST = "/admin/ocpp/chargepoint/"


@pytest.fixture
def two() -> list[ChargePoint]:
    return [ChargePoint.objects.create(identity=name) for name in ("A", "B")]


def test_the_same_is_set_for_those_that_were_selected(
    admin_client: Client, two: list[ChargePoint]
) -> None:
    site = Site.objects.create(name="Home")
    keys = [row.pk for row in two]
    asked = admin_client.post(LIST, {"action": "set_many", "_selected_action": keys})
    assert "Set for 2 charge points" in asked.content.decode()
    form = {"ids": ",".join(map(str, keys)), "site": site.pk, "authorization": "known"}
    wrong = admin_client.post(f"{LIST}set/", {**form, "time_zone": "Mars"})
    assert "is not a time zone" in wrong.content.decode()
    none = admin_client.post(f"{LIST}set/", {"ids": form["ids"]})
    assert "nothing is to be set" in none.content.decode().lower()
    admin_client.post(f"{LIST}set/", form)
    assert (
        list(ChargePoint.objects.values_list("site__name", "authorization"))
        == [("Home", "known")] * 2
    )
    admin_client.post(f"{LIST}set/", {"ids": form["ids"], "site": "-", "authorization": "-"})
    assert set(ChargePoint.objects.values_list("site", "authorization")) == {(None, "")}


def test_who_sees_some_sites_is_not_offered_none(
    browser: Callable[..., Client], person: Callable[..., User], two: list[ChargePoint]
) -> None:
    home = Site.objects.create(name="Home")
    ChargePoint.objects.update(site=home)
    ann = browser(person("ann", "Operator", [home]))
    key = two[0].pk
    asked = ann.post(LIST, {"action": "set_many", "_selected_action": [key]}).content.decode()
    assert f'value="{home.pk}"' in asked
    assert '<option value="-">none</option>' not in asked
    sent = ann.post(f"{LIST}set/", {"ids": key, "site": "-"})
    assert "not one of the available choices" in sent.content.decode()
    page = f"{LIST}{key}/change/"
    form = ann.get(page).context["adminform"].form
    filled = {name: value or "" for name, value in form.initial.items()} | {"site": ""}
    assert "This field is required" in ann.post(page, filled).content.decode()
    assert set(ChargePoint.objects.values_list("site", flat=True)) == {home.pk}


def test_a_file_is_looked_at_first(admin_client: Client, two: list[ChargePoint]) -> None:
    exported = b"".join(admin_client.get(f"{LIST}export/").streaming_content).decode()
    text = exported.replace("A,,", "A,Bay 1,", 1)
    file = SimpleUploadedFile("mine.csv", text.encode())
    page = admin_client.post(f"{LIST}import/", {"file": file}).content.decode()
    assert "name: none → Bay 1" in page
    assert ChargePoint.objects.get(identity="A").name == ""
    admin_client.post(f"{LIST}import/", {"text": text})
    assert ChargePoint.objects.get(identity="A").name == "Bay 1"


def test_new_hardware_takes_the_place_on_its_page(
    admin_client: Client, two: list[ChargePoint]
) -> None:
    page = f"{LIST}{two[0].pk}/replace/"
    assert page in admin_client.get(f"{LIST}{two[0].pk}/change/").content.decode()
    assert '<option value="B">' in admin_client.get(page).content.decode()
    odd = admin_client.post(page, {"identity": "a/b"})
    assert "Letters, digits" in odd.content.decode()
    done = admin_client.post(page, {"identity": "B"})
    assert done["Location"] == f"{LIST}{two[1].pk}/change/"
    assert "retired already" in admin_client.post(page, {"identity": "B"}).content.decode()


def test_the_same_by_the_command_line(
    two: list[ChargePoint], capsys: pytest.CaptureFixture[str], tmp_path: object
) -> None:
    Site.objects.create(name="Home")
    call_command("charge_points", "set", "a", "B", "--site", "home", "--max-power", "11000")
    call_command("charge_points", "export", f"{tmp_path}/out.csv")
    call_command("charge_points", "import", f"{tmp_path}/out.csv", "--dry-run")
    call_command("charge_points", "replace", "A", "C")
    assert capsys.readouterr().out.splitlines() == [
        "2 changed",
        f"2 charge points in {tmp_path}/out.csv",
        "0 would be new, 0 would be changed, 2 as before",
        "C is in the place of A, which is retired with its history",
    ]
    for wrong in (["set"], ["set", "X"], ["set", "B"], ["replace", "A", "D"], ["import", "none"]):
        with pytest.raises(CommandError):
            call_command("charge_points", *wrong)
