"""What stands around every page."""

from typing import Any

import pytest
from django.template.base import Variable, VariableDoesNotExist
from django.test import Client


def test_the_menu_has_all_that_its_template_asks_for(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look for what is not there costs 0.05 ms, and a menu has 40 entries."""
    looks, missed = Variable._resolve_lookup, []

    def counted(variable: Variable, context: Any) -> Any:
        try:
            return looks(variable, context)
        except VariableDoesNotExist:
            missed.append(str(variable.var))
            raise

    monkeypatch.setattr(Variable, "_resolve_lookup", counted)
    page = admin_client.get("/admin/ocpp/chargepoint/")
    assert b"/admin/ocpp/transaction/" in page.content
    assert [name for name in missed if name.startswith(("group.", "item."))] == []


def test_the_menu_says_where_one_is(admin_client: Client) -> None:
    page = admin_client.get("/admin/ocpp/idtag/").context["sidebar_navigation"]
    entries = [entry for group in page for entry in group["items"]]
    assert [entry["link"] for entry in entries if entry["active"]] == ["/admin/ocpp/idtag/"]
    assert [group["title"] for group in page][:2] == ["", "Charging"]
