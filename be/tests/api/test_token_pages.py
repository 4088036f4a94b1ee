"""The pages on which people create and revoke tokens."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from levity.accounts import second_step
from levity.api.models import ApiToken
from levity.api.tokens import create_token
from levity.ocpp.models import AuditEntry, Site
from tests.api.conftest import Caller

LIST = "/admin/api/apitoken/"


def token_in(answer: Any) -> str:
    assert answer.status_code == 200
    text = answer.content.decode()
    return str(text.split('<code class="lv-address">')[1].split("<")[0])


def test_a_person_creates_a_token_sees_it_once_and_revokes_it(
    person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    mine = browser(person("otto", "Operator"))
    assert "New token" in mine.get(LIST).content.decode()
    form = mine.get(f"{LIST}create/").content.decode()
    assert 'value="operate"' in form
    assert 'value="admin"' not in form
    answer = mine.post(f"{LIST}create/", {"name": "n8n", "scope": "operate", "expires": "90"})
    assert "no-store" in answer["Cache-Control"]
    program = Caller(token_in(answer))
    assert program("GET", "charge-points").status_code == 200
    row = ApiToken.objects.get()
    assert (row.owner.username, row.scope) == ("otto", "operate")
    assert program.token not in mine.get(LIST).content.decode()
    page = mine.get(f"{LIST}{row.pk}/change/").content.decode()
    assert program.token not in page
    assert f"{row.pk}/revoke/" in page
    assert mine.post(f"{LIST}{row.pk}/revoke/").status_code == 302
    assert program("GET", "charge-points").status_code == 401
    assert [entry.what for entry in AuditEntry.objects.order_by("pk")] == [
        *("token created", "token revoked"),
    ]


def test_a_wider_scope_than_ones_own_is_refused(
    person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    form = {"name": "x", "scope": "admin", "expires": "0"}
    mine = browser(person("otto", "Operator"))
    assert mine.post(f"{LIST}create/", form).status_code == 200
    viewer = browser(person("vera", "Viewer"))
    assert viewer.post(f"{LIST}create/", {**form, "scope": "read"}).status_code == 403
    assert not ApiToken.objects.exists()


def test_nobody_sees_or_revokes_tokens_of_others_but_admins(
    person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    theirs, _ = create_token("theirs", "read", person("anna", "Admin"))
    other = browser(person("otto", "Operator"))
    assert "theirs" not in other.get(LIST).content.decode()
    assert other.post(f"{LIST}{theirs.pk}/revoke/").status_code == 404
    limited = browser(person("lina", "Admin", sites=[Site.objects.create(name="Home")]))
    assert "theirs" not in limited.get(LIST).content.decode()
    assert limited.post(f"{LIST}{theirs.pk}/revoke/").status_code == 404
    admin = browser(person("adam", "Admin"))
    assert "theirs" in admin.get(LIST).content.decode()
    assert admin.post(f"{LIST}{theirs.pk}/revoke/").status_code == 302
    assert ApiToken.objects.get().revoked_at is not None


def test_a_token_for_some_sites(
    person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    home = Site.objects.create(name="Home")
    Site.objects.create(name="Away")
    mine = browser(person("anna", "Admin"))
    form = {"name": "x", "scope": "read", "expires": "30", "limited": "on"}
    assert "at least one site" in mine.post(f"{LIST}create/", form).content.decode()
    program = Caller(token_in(mine.post(f"{LIST}create/", {**form, "sites": [home.pk]})))
    assert [row["name"] for row in program.get("sites")["items"]] == ["Home"]


def test_who_has_a_second_factor_is_asked_for_it(
    person: Callable[..., User], browser: Callable[..., Client], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(second_step, "is_on", lambda user: True)
    user = person("anna", "Admin")
    mine = browser(user)
    # The login itself is complete: what is asked here is another code.
    monkeypatch.setattr("levity.accounts.site.missing_step", lambda user: "")
    form = {"name": "x", "scope": "read", "expires": "30"}
    assert mine.post(f"{LIST}create/", form).status_code == 200
    assert "Wrong code" in mine.post(f"{LIST}create/", {**form, "code": "123456"}).content.decode()
    assert not ApiToken.objects.exists()
    code = second_step.new_codes(user)[0]
    program = Caller(token_in(mine.post(f"{LIST}create/", {**form, "code": code})))
    assert program("GET", "sites").status_code == 200
    again = mine.post(f"{LIST}create/", {**form, "code": code})
    assert "Wrong code" in again.content.decode()
