"""A page that is open asks what has changed, and gets that and nothing else."""

import gzip
from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.test import Client
from django.utils import timezone

from levity.ocpp.models import ChargePoint, Command, Connector
from levity.pages.kit.live import digest
from levity.pages.kit.live_admin import LiveAdmin

LIST = "/admin/ocpp/chargepoint/"


@pytest.fixture
def hundred(db: None) -> list[ChargePoint]:
    now = timezone.now()
    made = ChargePoint.objects.bulk_create(
        ChargePoint(
            identity=f"GARAGE-{number:03}",
            vendor="United Chargers",
            model="GRS-32A",
            firmware_version="05.633:GCW-10.17-05.7:7452:F3D2",
            last_seen_at=now,
        )
        for number in range(100)
    )
    Connector.objects.bulk_create(
        Connector(charge_point=item, number=1, status="Charging", error_code="NoError")
        for item in made
    )
    return made


def asked(client: Client, path: str, have: str = "-", **headers: str) -> Any:
    return client.get(path, headers={"X-Levity-Live": have, **headers})


def after(answer: Any) -> str:
    """What a page that had nothing has after this answer."""
    text = answer.content.decode()
    found = []
    for part in text.split('data-new="')[1:]:
        keys, _, rest = part.partition('"')
        digests = rest.split('data-have="', 1)[1].partition('"')[0]
        found += [f"r.{key}:{had}" for key, had in zip(keys.split(), digests.split(), strict=True)]
    for kind, letter in (("part", "p"), ("field", "f")):
        for part in text.split(f'data-{kind}="')[1:]:
            key, _, rest = part.partition('"')
            had = rest.split('data-have="', 1)[1].partition('"')[0]
            found.append(f"{letter}.{key}:{had}")
    return ",".join(found)


@pytest.mark.slow
def test_a_page_that_has_everything_is_told_so_in_no_bytes(
    browser_of_root: Client, hundred: list[ChargePoint]
) -> None:
    have = after(asked(browser_of_root, LIST))
    answer = asked(browser_of_root, LIST, have)
    assert (answer.status_code, answer.content) == (204, b"")
    assert float(answer["X-Levity-Every"]) == 10


def test_only_the_cell_that_has_changed_travels(
    browser_of_root: Client, hundred: list[ChargePoint]
) -> None:
    have = after(asked(browser_of_root, LIST))
    hundred[41].connectors.update(status="Faulted")
    text = asked(browser_of_root, LIST, have).content.decode()
    assert text.count("data-cell=") == 1
    assert "Faulted" in text
    assert "GARAGE" not in text
    assert len(text) < 2_000


def test_a_hundred_chargers_that_all_changed_fit_into_thirty_kilobytes(
    browser_of_root: Client, hundred: list[ChargePoint]
) -> None:
    """The page of 100 chargers was 600 kB, fetched again every ten seconds."""
    have = after(asked(browser_of_root, LIST))
    for number, item in enumerate(hundred):
        item.last_seen_at = timezone.now()
        item.connectors.update(status="Faulted", info=str(number))
    ChargePoint.objects.bulk_update(hundred, ["last_seen_at"])
    answer = asked(browser_of_root, LIST, have, **{"Accept-Encoding": "gzip"})
    assert answer["Content-Encoding"] == "gzip"
    assert gzip.decompress(answer.content).count(b"Faulted") >= 100
    assert len(answer.content) < 30_000


def test_a_row_that_came_travels_whole_and_one_that_went_is_out_of_the_order(
    browser_of_root: Client, hundred: list[ChargePoint]
) -> None:
    have = after(asked(browser_of_root, LIST))
    gone = hundred[7].pk
    hundred[7].delete()
    new = ChargePoint.objects.create(identity="AAA")
    text = asked(browser_of_root, LIST, have).content.decode()
    order = text.split('data-order="')[1].partition('"')[0].split()
    assert order[0] == str(new.pk)
    assert str(gone) not in order
    assert text.count("action-select") == 1


def test_how_long_ago_something_was_is_nothing_new() -> None:
    shown = '<time data-since="17" data-as="ago">{} s ago</time> <b>{}</b>'
    assert digest(shown.format(5, "x")) == digest(shown.format(15, "x"))
    assert digest(shown.format(5, "x")) != digest(shown.format(5, "y"))
    assert digest(shown.format(5, "x")) != digest(shown.replace("17", "18").format(5, "x"))


def test_what_is_compressed_holds_no_token(
    browser_of_root: Client, root: User, charger: ChargePoint
) -> None:
    """BREACH needs a secret beside what came with the request."""
    command = Command.objects.create(charge_point=charger, action="Reset", requested_by=root)
    for path in (
        "/admin/",
        LIST,
        f"{LIST}{charger.pk}/change/",
        f"/admin/ocpp/command/{command.pk}/change/",
        "/admin/ocpp/command/",
    ):
        answer = asked(browser_of_root, path)
        assert answer.status_code == 200
        assert "csrfmiddlewaretoken" not in answer.content.decode()


def test_who_may_not_see_a_list_is_not_told_what_changed_in_it(
    browser_of_viewer: Client, viewer: User, charger: ChargePoint
) -> None:
    viewer.user_permissions.clear()
    assert asked(browser_of_viewer, LIST).status_code == 403


def test_a_command_is_looked_at_every_second_until_it_has_ended(
    browser_of_root: Client, root: User, charger: ChargePoint
) -> None:
    command = Command.objects.create(charge_point=charger, action="Reset", requested_by=root)
    page = f"/admin/ocpp/command/{command.pk}/change/"
    assert float(asked(browser_of_root, page)["X-Levity-Every"]) == 1
    assert float(asked(browser_of_root, "/admin/ocpp/command/")["X-Levity-Every"]) == 2
    Command.objects.update(state="answered", finished_at=timezone.now())
    assert float(asked(browser_of_root, page)["X-Levity-Every"]) == 0
    assert float(asked(browser_of_root, "/admin/ocpp/command/")["X-Levity-Every"]) == 10


def test_the_lists_of_users_and_groups_are_renewed(browser_of_root: Client, root: User) -> None:
    """They stood still: a login, or a second step, came into them with the next load only."""
    other = User.objects.create_user("ann", is_staff=True)
    Group.objects.create(name="Night shift")
    for path in ("/admin/auth/user/", "/admin/auth/group/"):
        page = browser_of_root.get(path).content.decode()
        assert 'data-every="10"' in page or 'data-every="10.0"' in page
        have = after(asked(browser_of_root, path))
        assert asked(browser_of_root, path, have).status_code == 204
    have = after(asked(browser_of_root, "/admin/auth/user/"))
    User.objects.filter(pk=other.pk).update(is_active=False)
    text = asked(browser_of_root, "/admin/auth/user/", have).content.decode()
    assert text.count("data-cell=") == 1
    assert "switched off" in text


def test_the_page_of_a_user_is_renewed_and_what_is_typed_there_stays(
    browser_of_root: Client, root: User
) -> None:
    path = f"/admin/auth/user/{root.pk}/change/"
    assert "data-every=" in browser_of_root.get(path).content.decode()
    have = after(asked(browser_of_root, path))
    User.objects.filter(pk=root.pk).update(last_login=timezone.now() - timedelta(days=3))
    text = asked(browser_of_root, path, have).content.decode()
    assert text.count("data-field=") == 1
    assert "<input" not in text


@pytest.mark.slow
def test_every_list_is_renewed(browser_of_root: Client) -> None:
    for model, model_admin in admin.site._registry.items():
        page = browser_of_root.get(f"/admin/{model._meta.app_label}/{model._meta.model_name}/")
        assert (model, isinstance(model_admin, LiveAdmin)) == (model, True)
        assert "data-every=" in page.content.decode(), model
