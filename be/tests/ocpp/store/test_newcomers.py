"""Charge points that nobody has seen before: how many come in, and who stops admitting them.

C1: one host made 871 new charge points a second, for as long as it liked.
"""

from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import OperationalError, transaction
from django.test import Client
from django.urls import reverse

import levity.ocpp.store.newcomers as module
from levity.addresses import is_beside_us
from levity.monitoring.alerts.conditions import strangers
from levity.ocpp.decisions import onboarding
from levity.ocpp.models import AuditEntry, ChargePoint, Installation
from levity.ocpp.store.newcomers import Newcomers, is_public
from levity.ocpp.store.values import Arrival
from levity_ws.rpc.envelope import Accept, EdgeRefusal, Refuse, Refused
from tests.ocpp.charger import NOW, CentralSystem, Charger

pytestmark = pytest.mark.django_db
HOME, OUTSIDE = "192.168.1.20", "93.184.215.14"


@pytest.fixture(autouse=True)
def counted_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """In every test by a clock that stands still; and this machine has no public name."""
    for name, value in vars(Newcomers(lambda: 0.0)).items():
        monkeypatch.setattr(module.newcomers, name, value)
    monkeypatch.setenv("HOSTNAME", "pi.local")


def come(site: CentralSystem, count: int, remote: str, name: str = "NEW") -> list[Any]:
    """So many handshakes of new identities; what the backend says to each."""
    asked = [Charger(f"{name}{number}").asks(remote=remote) for number in range(count)]
    return [command for event in asked for command in site.take(event).reply.commands]


def registered() -> dict[str, int]:
    rows = ChargePoint.objects.values_list("registration", flat=True)
    return {status: list(rows).count(status) for status in set(rows)}


@pytest.mark.parametrize(("remote", "limit"), [(HOME, 5), (OUTSIDE, 3)])
def test_those_above_the_limit_of_an_hour_wait_as_pending(
    settings: Any, remote: str, limit: int
) -> None:
    settings.OCPP_NEW_PER_HOUR, settings.OCPP_NEW_PER_HOUR_PUBLIC = 5, 3
    said = come(CentralSystem(), 8, remote)
    assert all(isinstance(command, Accept) for command in said)
    assert registered() == {"Accepted": limit, "Pending": 8 - limit}
    assert [found.summary for found in strangers.too_many_new(NOW)] == [
        f"{8 - limit} new charge points are pending"
    ]


def test_this_machine_has_no_limit_and_nought_is_none(settings: Any) -> None:
    """A demo, a proxy that says nothing, a bench."""
    settings.OCPP_NEW_PER_HOUR, settings.OCPP_NEW_PER_HOUR_PUBLIC = 1, 0
    site = CentralSystem()
    come(site, 5, "127.0.0.1", "LOCAL")
    come(site, 5, "", "OLD")
    come(site, 5, OUTSIDE, "FAR")
    assert registered() == {"Accepted": 15}


def test_where_too_many_wait_nobody_more_is_written_down(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their names would fill the disk as their frames do."""
    settings.OCPP_NEW_PER_HOUR = 2
    monkeypatch.setattr(module, "MOST_WAITING", 3)
    said = come(CentralSystem(), 9, HOME)
    assert registered() == {"Accepted": 2, "Pending": 3}
    assert [type(command) for command in said] == [Accept] * 5 + [Refuse] * 4


def test_closed_onboarding_keeps_new_ones_out_and_nobody_who_is_in(root: User) -> None:
    site, known = CentralSystem(), Charger("KNOWN")
    site.take(known.asks(remote=HOME))
    onboarding.close(root, closed=True)
    (said,) = come(site, 1, HOME)
    assert isinstance(said, Refuse)
    assert said.status == 404
    (again,) = site.take(known.again().asks(remote=HOME)).reply.commands
    assert isinstance(again, Accept)
    onboarding.close(root, closed=False)
    (said,) = come(site, 1, HOME)
    assert isinstance(said, Accept)


def test_the_banner_says_that_strangers_come_in_and_one_click_stops_admitting_them(
    root: User, client: Client
) -> None:
    """Not at home; once a charger came from outside, on the overview, the list, and as an alert."""
    client.force_login(root)
    pages = [
        reverse(f"admin:{name}")
        for name in (
            "index",
            "ocpp_chargepoint_changelist",
            "ocpp_refusedhandshake_changelist",
        )
    ]
    come(CentralSystem(), 1, HOME, "INSIDE")
    assert strangers.open_onboarding() == []
    assert not any("lv-onboarding" in client.get(page).content.decode() for page in pages)
    come(CentralSystem(), 1, OUTSIDE)
    (found,) = strangers.open_onboarding()
    assert OUTSIDE in found.detail
    assert all("lv-onboarding" in client.get(page).content.decode() for page in pages)
    page = reverse("admin:ocpp_chargepoint_onboarding")
    answer = client.post(page, {"closed": "1"}, follow=True)
    assert "New charge points are no longer admitted" in answer.content.decode()
    assert strangers.open_onboarding() == []
    assert not any("lv-onboarding" in client.get(page).content.decode() for page in pages)
    row = Installation.objects.get()
    assert row.closed_by == root
    assert AuditEntry.objects.get().what == "stopped admitting new charge points"
    assert "Admit new charge points" in client.get(page).content.decode()
    client.post(page, {"closed": "0"})
    assert Installation.objects.get().closed_at is None


def test_who_visits_the_pages_from_outside_is_a_sign_of_open_onboarding(client: Client) -> None:
    """Only chargers counted: the pages of a public server could be open for months."""
    client.get(reverse("admin:login"), REMOTE_ADDR=HOME)
    assert strangers.open_onboarding() == []
    client.get(reverse("admin:login"), REMOTE_ADDR=OUTSIDE)
    (found,) = strangers.open_onboarding()
    assert found.detail == f"a request came from {OUTSIDE}, a public address"


def test_a_page_is_shown_where_its_visitor_can_not_be_noted(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk, a database that is locked."""

    def fail() -> Installation:
        raise OperationalError("database is locked")

    monkeypatch.setattr(Installation, "get", fail)
    assert client.get(reverse("admin:login"), REMOTE_ADDR=OUTSIDE).status_code == 200
    monkeypatch.undo()
    client.get(reverse("admin:login"), REMOTE_ADDR=OUTSIDE)
    assert Installation.objects.get().outside_address == OUTSIDE


def test_whom_the_edge_refuses_from_outside_is_a_sign_of_open_onboarding() -> None:
    """A scanner finds the port before a charger does."""
    refusals = (EdgeRefusal(remote=OUTSIDE, reason="path"),)
    refused = Refused("", "", 0, NOW.timestamp(), refusals=refusals)
    CentralSystem().take(refused)
    assert Installation.objects.get().outside_address == OUTSIDE


@pytest.mark.django_db(transaction=True)
def test_a_visitor_from_outside_is_noted_again_where_it_was_rolled_back() -> None:
    """It was remembered as seen, and stood nowhere: no banner until the next start."""
    arrivals = [Arrival(Charger("FAR").asks(remote=OUTSIDE), NOW)]
    with suppress(ZeroDivisionError), transaction.atomic():
        module.newcomers.note_outside(arrivals)
        raise ZeroDivisionError
    assert not Installation.objects.exists()
    with transaction.atomic():
        module.newcomers.note_outside(arrivals)
    assert Installation.objects.get().outside_address == OUTSIDE
    assert module.newcomers._seen_outside


def test_with_ipv6_what_is_in_our_own_network_is_not_outside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everything in a home has a global address there."""
    listed = tmp_path / "if_inet6"
    listed.write_text(
        "20010db8aaaabbbb0000000000000010 02 80 00 80     eth0\n"
        "00000000000000000000000000000001 01 80 10 80       lo\n"
    )
    assert is_beside_us("2001:db8:aaaa:bbbb::20", str(listed))
    assert is_beside_us("2001:db8:aaaa:bbbb::20%eth0", str(listed))
    assert not is_beside_us("2001:db8:aaaa:cccc::20", str(listed))
    assert not is_beside_us("::2", str(listed))
    assert not is_beside_us("2001:db8:aaaa:bbbb::20", str(tmp_path / "none"))
    monkeypatch.setattr(module, "is_beside_us", lambda address: address == "2a00::20")
    assert not is_public("2a00::20")
    assert is_public("2a00::21")
    assert is_public(OUTSIDE)


def test_the_doctor_says_that_onboarding_is_closed_and_how_to_open_it(admin_client: Client) -> None:
    """Nothing led to the page that opens it again."""
    doctor, page = (
        reverse("admin:ocpp_refusedhandshake_changelist"),
        "admin:ocpp_chargepoint_onboarding",
    )
    assert reverse(page) not in admin_client.get(doctor).content.decode()
    admin_client.post(reverse(page), {"closed": "1"})
    assert reverse(page) in admin_client.get(doctor).content.decode()


def test_the_overview_leads_to_those_that_wait(settings: Any, admin_client: Client) -> None:
    """They stood in an alert only, and the list of charge points had to be filtered by hand."""
    settings.OCPP_NEW_PER_HOUR = 2
    come(CentralSystem(), 5, HOME)
    page = admin_client.get(reverse("admin:index")).content.decode()
    assert "charge points await acceptance" in page
    assert f"{reverse('admin:ocpp_chargepoint_changelist')}?registration__exact=Pending" in page
    ChargePoint.objects.update(registration="Accepted")
    assert "acceptance" not in admin_client.get(reverse("admin:index")).content.decode()


def test_who_may_not_change_charge_points_closes_nothing(client: Client) -> None:
    client.force_login(User.objects.create_user("viewer", is_staff=True))
    answer = client.post(reverse("admin:ocpp_chargepoint_onboarding"), {"closed": "1"})
    assert answer.status_code == 403
    assert not Installation.objects.exists()


@pytest.mark.parametrize(
    ("name", "public"),
    [
        *(("pi.local", False), ("raspberrypi", False), ("10.0.0.1", False), ("ev.lan", False)),
        *(
            ("charge.example.net", True),
            ("93.184.215.14", True),
            ("", False),
            ("a.home.arpa", False),
            # What a router of a home calls the machine, and some shells export.
            *(("pi.fritz.box", False), ("fritz.box", False), ("pi.speedport.ip", False)),
        ),
    ],
)
def test_a_public_name_is_one_that_others_can_look_up(
    name: str, public: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOSTNAME", name)
    assert bool(onboarding.why_outside(onboarding.state())) is public


def test_where_chargers_need_a_key_there_is_no_banner(settings: Any) -> None:
    come(CentralSystem(), 1, OUTSIDE)
    settings.OCPP_SECURITY_PROFILE = 1
    assert strangers.open_onboarding() == []


@pytest.fixture
def root() -> User:
    return User.objects.create_superuser("root")
