"""The page of a household saves as the API does: the same decisions, the same audit."""

from datetime import date
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from levity.billing.models import Assignment, Household
from levity.ocpp.models import AuditEntry

pytestmark = pytest.mark.django_db
ADD = "/admin/billing/household/add/"


@pytest.fixture
def browser() -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("anna"))
    return client


def lines(*rows: dict[str, Any], before: int = 0) -> dict[str, Any]:
    """The lines of the form below."""
    data: dict[str, Any] = {
        "assignments-TOTAL_FORMS": len(rows),
        "assignments-INITIAL_FORMS": before,
    }
    for at, row in enumerate(rows):
        data |= {f"assignments-{at}-{name}": value for name, value in row.items()}
        # What the form had first, where that is computed: by it, it finds what was changed.
        data[f"initial-assignments-{at}-first_day"] = row["first_day"] if "id" in row else ""
    return data


def told() -> list[str]:
    """What the audit says, the oldest first; the names of who did it are one and the same."""
    rows = AuditEntry.objects.order_by("pk")
    assert set(rows.values_list("who_name", flat=True)) <= {"anna"}
    found = list(rows.values_list("what", flat=True))
    rows.delete()
    return found


def test_a_household_and_what_it_charges_with(browser: Client) -> None:
    about = {"name": "Berg", "flat": "1", "language": "en"}
    first = {"id_tag": "CARD1", "first_day": "2026-01-01"}
    assert browser.post(ADD, {**about, **lines(first)}).status_code == 302
    row = Household.objects.get()
    [charges] = Assignment.objects.all()
    assert told() == ["added", f"charges with {charges}"]
    page = f"/admin/billing/household/{row.pk}/change/"
    known = {"id": charges.pk, "household": row.pk}
    # Moved within the house, and the card ends; another comes.
    later = {**first, **known, "last_day": "2026-06-30"}
    new = {"id_tag": "CARD2", "first_day": "2026-07-01"}
    data = {**about, "flat": "2", **lines(later, new, before=1)}
    assert browser.post(page, data).status_code == 302
    charges.refresh_from_db()
    assert charges.last_day == date(2026, 6, 30)
    second = Assignment.objects.get(id_tag="CARD2")
    assert told() == ["changed: flat", f"charges with {charges}", f"charges with {second}"]
    # Another card in the line of the first.
    other = {**later, "id_tag": "CARD3"}
    same = {**new, "id": second.pk, "household": row.pk}
    data = {**about, "flat": "2", **lines(other, same, before=2)}
    assert browser.post(page, data).status_code == 302
    third = Assignment.objects.get(id_tag="CARD3")
    assert told() == [f"no longer charges with {charges}", f"charges with {third}"]
    gone = {**same, "DELETE": "on"}
    kept = {**other, "id": third.pk}
    data = {**about, "flat": "2", **lines(kept, gone, before=2)}
    assert browser.post(page, data).status_code == 302
    assert told() == [f"no longer charges with {second}"]
    assert (
        browser.post(f"/admin/billing/household/{row.pk}/delete/", {"post": "yes"}).status_code
        == 302
    )
    assert told() == ["deleted"]
    assert not Household.objects.exists()
