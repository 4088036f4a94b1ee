"""Levity's admin site."""

from typing import Any

import pytest
from django.contrib.admin import AdminSite
from django.test import Client


def test_the_list_of_all_models_is_made_for_the_pages_that_show_it(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Django asks for it on every page: addresses and four permissions of each model."""
    build, made = AdminSite._build_app_dict, []

    def counted(site: AdminSite, *given: Any) -> Any:
        made.append(given)
        return build(site, *given)

    monkeypatch.setattr(AdminSite, "_build_app_dict", counted)
    assert admin_client.get("/admin/ocpp/chargepoint/").status_code == 200
    assert made == []
    page = admin_client.get("/admin/ocpp/")
    assert (page.status_code, len(made)) == (200, 1)
    assert b"/admin/ocpp/transaction/" in page.content
