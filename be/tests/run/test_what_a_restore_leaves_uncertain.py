"""After a restore: the command and a page say which sessions may be uncertain, and why."""

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from levity.accounts.models import Account
from levity.ocpp.decisions.restored import begun_since, last_restore, ran_then
from levity.ocpp.models import Installation, QuarantinedMessage, Site, Transaction
from levity.run.backups import settle
from tests.ocpp.ledger_chargers import NOW, Charger, at

pytestmark = pytest.mark.django_db
PAGE = "/admin/ocpp/transaction/restored/"


def text_of(answer: Any) -> str:
    assert answer.status_code == 200
    return " ".join(re.sub(r"<[^>]*>", " ", answer.content.decode()).split())


class Garage:
    """Restored an hour after the copy was made: one session had ended by then, two ran."""

    def __init__(self) -> None:
        self.one, self.two = Charger("CP1"), Charger("CP2")
        self.ended = self.one.started(at(-60), 1234)
        self.one.stop(self.ended, at(-30), 5678)
        self.first = self.one.started(at(-10), 5678)
        self.second = self.two.started(at(0), 1000)
        self.settled = settle(at(60))

    @property
    def found(self) -> Any:
        return last_restore(at(61))


@pytest.fixture
def garage(db: None) -> Garage:
    return Garage()


def test_those_that_ran_are_found_also_when_they_have_ended(garage: Garage) -> None:
    assert garage.settled.newest == at(0)
    assert garage.settled.running == (f"#{garage.first} (CP1)", f"#{garage.second} (CP2)")
    assert (garage.found.at, garage.found.to) == (at(60), at(0))
    # A stop that waited in the charger; and a session that began after the restore.
    garage.one.stop(garage.first, at(20), 7000, when=at(65))
    new = garage.one.started(at(70), 7000)
    garage.one.stop(new, at(80), 8000)
    # One that it tells again.
    again = garage.one.started(at(30), 7000, when=at(90))
    pks = [row.pk for row in ran_then(garage.found)]
    assert pks == [garage.first, garage.second]
    assert [row.pk for row in begun_since(garage.found)] == [again]


def test_people_are_told_for_two_weeks(garage: Garage) -> None:
    assert last_restore(at(60) + timedelta(days=13)) is not None
    assert last_restore(at(60) + timedelta(days=15)) is None


def test_a_new_database_was_not_restored(db: None) -> None:
    assert settle(NOW).running == ()
    assert not Installation.objects.exists()


def test_the_command_names_them(garage: Garage) -> None:
    out = io.StringIO()
    call_command("restore", "--done", stdout=out)
    said = out.getvalue()
    assert (
        "2 sessions were running then and may be uncertain, because what came after the backup is "
        f"missing: #{garage.first} (CP1), #{garage.second} (CP2).\n"
    ) in said
    assert "not in it: messages of theirs that still arrive go to the quarantine." in said
    assert said.endswith("Start Levity now.\n")


def test_the_overview_and_the_page(garage: Garage, client: Client) -> None:
    client.force_login(User.objects.create_superuser("root"))
    Installation.objects.update(restored_at=timezone.now())
    overview = client.get("/admin/")
    assert "Restored to 2026-03-09 12:00:00 UTC: some sessions may be uncertain" in text_of(
        overview
    )
    assert f'href="{PAGE}"' in overview.content.decode()
    QuarantinedMessage.objects.create(
        charge_point=garage.one.row,
        received_at=timezone.now(),
        action="StopTransaction",
        unique_id="1",
        payload="{}",
        reason="no such transaction",
    )
    page = text_of(client.get(PAGE))
    assert "from a backup whose newest entry is of 2026-03-09 12:00:00 UTC" in page
    assert f"#{garage.first} CP1 1 tag 2026-03-09 11:50:00 UTC" in page
    assert f"#{garage.second} CP2" in page
    assert f"#{garage.ended} " not in page
    assert "quarantine (1 open since the restore)" in page.replace(" )", ")")
    Installation.objects.update(restored_at=timezone.now() - timedelta(days=20))
    assert "was not restored from a backup within the last two weeks" in text_of(client.get(PAGE))
    assert "Restored" not in text_of(client.get("/admin/"))


def test_people_of_one_site_see_their_own(garage: Garage, client: Client) -> None:
    Installation.objects.update(restored_at=timezone.now())
    site = Site.objects.create(name="one")
    row = garage.one.row
    row.site = site
    row.save()
    janitor = User.objects.create_user("janitor", is_staff=True)
    client.force_login(janitor)
    assert client.get(PAGE).status_code == 403
    janitor.user_permissions.set(Permission.objects.filter(content_type__app_label="ocpp"))
    Account.objects.create(user=janitor, limited=True).sites.add(site)
    page = text_of(client.get(PAGE))
    assert f"#{garage.first} " in page
    assert f"#{garage.second} " not in page
    assert Transaction.objects.count() == 3
