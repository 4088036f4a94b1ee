"""What a household charges with, for somebody who sees one site only."""

from collections.abc import Callable
from datetime import date

import pytest
from django.contrib.auth.models import User
from django.test import Client

from levity.billing.models import Assignment, Household
from levity.ocpp.models import ChargePoint, Site
from tests.api.conftest import Caller, caller
from tests.pages.whole.conftest import browser, person, said_quietly

__all__ = ["browser", "caller", "person", "said_quietly"]

pytestmark = pytest.mark.django_db
FIRST = date(2026, 1, 1)


def test_a_place_at_another_site_is_not_named_and_no_question_is_asked_of_it(
    person: Callable[..., User],
    browser: Callable[..., Client],
    caller: Callable[..., Caller],
) -> None:
    """The household's list, page, form, file and the API said the name of the charger."""
    here, there = Site.objects.create(name="Here"), Site.objects.create(name="There")
    place = ChargePoint.objects.create(identity="not-ours", site=there)
    ours = ChargePoint.objects.create(identity="ours-1", site=here)
    anna = Household.objects.create(name="Anna", site=here, email="anna@example.net")
    Assignment.objects.create(household=anna, charge_point=place, first_day=FIRST)
    web = browser(person("limited", "Admin", sites=[here]))
    page = f"/admin/billing/household/{anna.pk}/change/"
    paths = ("/admin/billing/household/", page, f"{page}?tab=details")
    files = ("/admin/billing/household/export/",)
    api = caller("admin", sites=[here])

    def said() -> list[bool]:
        texts = [web.get(path).content.decode() for path in paths]
        texts += [b"".join(web.get(path)).decode() for path in files]
        texts += [str(api.get("households")), str(api.get(f"households/{anna.pk}"))]
        return ["not-ours" in text for text in texts]

    assert said() == [False] * 6
    nothing = "It has nothing to charge with today"
    assert nothing not in web.get(page).content.decode()
    Assignment.objects.create(household=anna, charge_point=ours, first_day=FIRST)
    everybody = caller("admin")
    assert "not-ours" in str(everybody.get(f"households/{anna.pk}"))
    shown = api.get(f"households/{anna.pk}")["assignments"]
    assert [each["charge_point"] for each in shown] == ["ours-1"]
