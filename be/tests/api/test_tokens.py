"""W-11: who comes in with which token, and what a token may do."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from levity.api.kit import auth
from levity.api.models import ApiToken
from levity.api.throttle import Throttle
from levity.api.tokens import create_token, find_token, revoke_token
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.models import AuditEntry, Site
from tests.api.conftest import Caller


def status(caller: Caller, path: str = "sites", method: str = "GET") -> int:
    return caller(method, path).status_code


def test_a_valid_token_gets_in_and_its_use_is_noted_once_a_minute(
    caller: Callable[..., Caller],
) -> None:
    program = caller("read")
    assert status(program) == 200
    first = ApiToken.objects.get().last_used_at
    assert first is not None
    assert status(program) == 200
    assert ApiToken.objects.get().last_used_at == first
    ApiToken.objects.update(last_used_at=first - timedelta(seconds=61))
    assert status(program) == 200
    assert ApiToken.objects.get().last_used_at > first - timedelta(seconds=61)


def test_a_token_is_not_stored(caller: Callable[..., Caller]) -> None:
    secret = caller("read").token.rpartition("_")[2]
    assert secret not in str(ApiToken.objects.values().get())


@pytest.mark.django_db
@pytest.mark.parametrize("token", ["x", "levity_", "levity_00000000_x", "levity_é_x", "a" * 9000])
def test_what_is_no_token_is_refused(token: str) -> None:
    response = Caller()("GET", "sites", Authorization=f"Bearer {token}")
    assert response.status_code == 401
    assert response["WWW-Authenticate"].startswith("Bearer")


def test_the_prefix_alone_is_no_token(caller: Callable[..., Caller]) -> None:
    program = caller("read")
    other, _ = create_token("other", "admin", None)
    secret = program.token.split("_", 2)[2]
    assert find_token(f"levity_{other.prefix}_{secret}") is None


@pytest.mark.django_db
def test_nobody_is_refused() -> None:
    assert status(Caller()) == 401


def test_an_expired_and_a_revoked_token_are_refused(caller: Callable[..., Caller]) -> None:
    program = caller("read", expires_at=timezone.now() + timedelta(days=1))
    assert status(program) == 200
    ApiToken.objects.update(expires_at=timezone.now())
    response = program("GET", "sites")
    assert (response.status_code, "expired" in response.json()["detail"]) == (401, True)
    other = caller("read")
    assert other.row is not None
    assert revoke_token(other.row, None)
    assert not revoke_token(other.row, None)
    response = other("GET", "sites")
    assert (response.status_code, "revoked" in response.json()["detail"]) == (401, True)


def test_a_token_for_reading_changes_nothing(caller: Callable[..., Caller]) -> None:
    for method in ("POST",):
        assert status(caller("read"), "sites", method) == 403


def test_a_token_ends_with_its_owner(
    caller: Callable[..., Caller], person: Callable[..., User]
) -> None:
    owner = person("anna", "Admin")
    program = caller("admin", owner)
    assert status(program) == 200
    # Whom the pages no longer let in, their programs no longer speak for.
    User.objects.update(is_staff=False)
    assert status(program) == 401
    User.objects.update(is_staff=True, is_active=False)
    assert status(program) == 401
    owner.delete()
    assert status(program) == 401


def test_a_token_never_has_more_rights_than_its_owner_has_now(
    caller: Callable[..., Caller], person: Callable[..., User]
) -> None:
    owner = person("anna", "Admin")
    program = caller("admin", owner)
    owner.groups.clear()
    assert status(program) == 403


def test_nobody_makes_a_token_that_may_do_more_than_they_may(person: Callable[..., User]) -> None:
    with pytest.raises(NotAllowed):
        create_token("mine", "read", person("vera", "Viewer"))
    operator = person("otto", "Operator")
    assert create_token("mine", "operate", operator)[0].owner == operator
    with pytest.raises(NotAllowed):
        create_token("mine", "admin", operator)


def test_a_token_of_a_limited_person_sees_their_sites_only(
    caller: Callable[..., Caller], person: Callable[..., User]
) -> None:
    mine, other = Site.objects.create(name="mine"), Site.objects.create(name="other")
    owner = person("anna", "Admin", sites=[mine])
    names = [item["name"] for item in caller("read", owner).get("sites")["items"]]
    assert names == ["mine"]
    assert status(caller("read", owner), f"sites/{other.pk}") == 404
    with pytest.raises(NotAllowed):
        create_token("theirs", "read", owner, sites=[other])
    # What both may see.
    program = caller("read", owner, sites=[mine])
    owner.account.sites.set([other])
    assert program.get("sites")["items"] == []


def test_a_token_is_never_a_superuser(caller: Callable[..., Caller], root: User) -> None:
    program = caller("read", root, sites=[])
    assert program.get("sites")["items"] == []


def test_too_many_requests_wait(
    caller: Callable[..., Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    monkeypatch.setattr(auth, "THROTTLE", Throttle(60, burst=3, clock=lambda: now[0]))
    program, other = caller("read"), caller("read")
    assert [status(program) for _ in range(4)] == [200, 200, 200, 429]
    response = program("GET", "sites")
    assert response["Retry-After"] == "1"
    assert status(other) == 200
    now[0] = 1.0
    assert [status(program) for _ in range(2)] == [200, 429]


@pytest.mark.django_db
def test_guessing_tokens_is_slowed_down() -> None:
    guesser = Caller("levity_00000000_x")
    assert [status(guesser) for _ in range(31)][-2:] == [401, 429]


def test_a_session_gets_in_and_changes_need_the_csrf_token(
    person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    mine = browser(person("anna", "Admin"), enforce_csrf_checks=True)
    assert mine.get("/api/v1/sites").status_code == 200
    body = b'{"name": "Home"}'

    def made(**headers: str) -> int:
        answer = mine.post("/api/v1/sites", body, content_type="application/json", headers=headers)
        return answer.status_code

    assert made() == 403
    mine.get("/admin/")
    assert made(**{"X-CSRFToken": mine.cookies["csrftoken"].value}) == 201


def test_a_login_without_its_second_step_does_not_get_in(
    person: Callable[..., User], browser: Callable[..., Client], settings: Any
) -> None:
    settings.LEVITY_REQUIRE_TWO_FACTOR = True
    assert browser(person("anna", "Admin")).get("/api/v1/sites").status_code == 401


@pytest.mark.django_db
def test_the_command_prints_the_token_last_on_its_one_line() -> None:
    Site.objects.create(name="Home")
    out = StringIO()
    command = ("api_token", "create", "billing export")
    call_command(*command, "--scope", "operate", "--site", "home", "--expires", "30", stdout=out)
    (line,) = out.getvalue().splitlines()
    token = line.split()[-1]
    program = Caller(token)
    assert status(program) == 200
    row = ApiToken.objects.get()
    assert (row.scope, row.limited, row.owner) == ("operate", True, None)
    assert [entry.what for entry in AuditEntry.objects.all()] == ["token created"]
    listed = StringIO()
    call_command("api_token", "list", stdout=listed)
    assert token.rpartition("_")[2] not in listed.getvalue()
    assert "billing export" in listed.getvalue()
    call_command("api_token", "revoke", row.prefix, stdout=out)
    assert status(program) == 401
