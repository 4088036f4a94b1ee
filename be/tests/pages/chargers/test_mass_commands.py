"""The page of a command to many: how far, who said no, those again, and a file of all."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from levity.ocpp.commands.masses import send_mass
from levity.ocpp.models import ChargePoint, Command, MassCommand

pytestmark = pytest.mark.django_db


@pytest.fixture
def mass() -> MassCommand:
    for number in range(4):
        ChargePoint.objects.create(identity=f"CP{number}")
    made, _ = send_mass(ChargePoint.objects.all(), "Reset", {"type": "Soft"}, None, source="test")
    rows = list(Command.objects.order_by("pk"))
    Command.objects.filter(pk__in=[row.pk for row in rows[:2]]).update(
        state="answered", result_status="Accepted", result={"status": "Accepted"}
    )
    Command.objects.filter(pk=rows[2].pk).update(
        state="answered", result_status="Rejected", result={"status": "=Rejected"}
    )
    return made


@pytest.fixture
def client(db: None) -> Client:
    browser = Client()
    browser.force_login(User.objects.create_superuser("root"))
    return browser


def address(name: str, *arguments: Any) -> str:
    return reverse(f"levity:ocpp_masscommand_{name}", args=arguments)


def test_the_page_counts_lists_the_refusals_and_sends_again(
    client: Client, mass: MassCommand
) -> None:
    text = client.get(address("change", mass.pk)).content.decode()
    assert "2 accepted, 1 away, 1 refused" in text
    assert "CP2" in text
    assert "Rejected" in text
    answer = client.post(address("retry", mass.pk))
    again = MassCommand.objects.get(retry_of=mass)
    assert answer.headers["Location"] == address("change", again.pk)
    assert [row.charge_point.identity for row in again.commands.all()] == ["CP2"]
    listed = client.get(address("changelist")).content.decode()
    assert "2 of 4 accepted" in listed


def test_the_page_renews_its_counts_by_itself(client: Client, mass: MassCommand) -> None:
    path = address("change", mass.pk)
    Command.objects.filter(state="queued").update(state="answered", result_status="Accepted")
    answer = client.get(path, headers={"X-Levity-Live": "-"})
    assert "3 accepted, 1 refused" in answer.content.decode()
    assert answer["X-Levity-Every"] == "0"


def test_the_rest_is_cancelled_after_a_question_that_says_how_many(
    client: Client, mass: MassCommand
) -> None:
    Command.objects.filter(mass=mass, charge_point__identity="CP1").update(
        state="queued", result_status="", result=None
    )
    ask = address("cancel", mass.pk)
    assert ask in client.get(address("change", mass.pk)).content.decode()
    asked = client.get(ask).content.decode()
    assert "<strong>2</strong> of its commands are still waiting" in asked
    assert "The other 2 were sent already" in asked
    assert "Yes, cancel 2" in asked
    assert Command.objects.filter(state="cancelled").count() == 0
    answer = client.post(ask, follow=True)
    assert "Cancelled: 2." in answer.content.decode()
    assert "2 not sent" in answer.content.decode()
    states = dict(mass.commands.values_list("charge_point__identity", "state"))
    assert states == {
        "CP0": "answered",
        "CP1": "cancelled",
        "CP2": "answered",
        "CP3": "cancelled",
    }
    text = client.get(address("change", mass.pk)).content.decode()
    assert "Cancel the rest" not in text
    late = client.post(ask, follow=True).content.decode()
    assert "All of its commands were sent already, or have ended." in late


def test_who_may_only_look_cancels_nothing(client: Client, mass: MassCommand) -> None:
    looks = User.objects.create_user("looks", is_staff=True)
    names = ("view_masscommand", "view_command", "view_chargepoint")
    looks.user_permissions.set(Permission.objects.filter(codename__in=names))
    client.force_login(looks)
    ask = address("cancel", mass.pk)
    assert ask not in client.get(address("change", mass.pk)).content.decode()
    assert client.get(ask).status_code == 403
    assert client.post(ask).status_code == 403
    assert mass.commands.filter(state="queued").count() == 1


def test_the_file_has_a_row_for_each(client: Client, mass: MassCommand) -> None:
    answer: Any = client.get(address("csv", mass.pk))
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert len(lines) == 5
    assert "CP2" in lines[3]
    assert "Rejected" in lines[3]


def test_statements_do_not_grow_with_the_chargers(
    client: Client, mass: MassCommand, django_assert_max_num_queries: Any
) -> None:
    path = address("change", mass.pk)
    client.get(path)
    with django_assert_max_num_queries(40) as few:
        client.get(path)
    ChargePoint.objects.bulk_create(ChargePoint(identity=f"M{number}") for number in range(300))
    many, _ = send_mass(ChargePoint.objects.all(), "Reset", {"type": "Soft"}, None, source="test")
    Command.objects.filter(mass=many).update(state="answered", result_status="Rejected")
    with django_assert_max_num_queries(40) as more:
        client.get(address("change", many.pk))
    assert len(more) <= len(few) + 1


def test_the_list_of_chargers_leads_to_it_and_a_second_click_leaves_nothing(
    client: Client,
) -> None:
    rows = [ChargePoint.objects.create(identity=f"CP{number}") for number in range(2)]
    data = {
        "ids": ",".join(str(row.pk) for row in rows),
        "key": "6a8a5b4e-93ed-4c9e-9f0a-000000000001",
        "queue_offline": "on",
    }
    send = reverse("levity:ocpp_chargepoint_send_many", args=["reset-soft"])
    first = client.post(send, data)
    mass = MassCommand.objects.get()
    assert first.headers["Location"] == address("change", mass.pk)
    assert mass.commands.count() == 2
    assert client.post(send, data).headers["Location"] == address("changelist")
    assert MassCommand.objects.count() == 1
    assert Command.objects.count() == 2
