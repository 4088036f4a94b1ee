"""What holds for every address there is, enumerated from the URL map itself."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client

from tests.pages.whole.rows import SHOWN, Page, one_of_each, pages


@pytest.fixture
def everything(root: User) -> list[Page]:
    return pages(one_of_each("plain"))


def test_the_enumeration_finds_what_is_there(everything: list[Page]) -> None:
    names = {page.name for page in everything}
    assert {f"ocpp_{name}_change" for name in ("chargepoint", "transaction")} <= names
    assert {"ocpp_chargepoint_send", "ocpp_chargepoint_send_many", "two_factor", "login"} <= names
    assert {page.model for page in everything if page.model} == set(SHOWN)
    assert not [page.path for page in everything if "<" in page.path]


@pytest.mark.usefixtures("unwritten")
def test_no_address_can_be_framed_or_runs_foreign_scripts(
    everything: list[Page], browser: Callable[..., Client], root: User
) -> None:
    """W-07: clickjacking and CSP, on 100 % of the URL map."""
    client = browser(root)
    bad = {}
    for page in everything:
        answer = client.get(page.path)
        policy = {
            words[0]: words[1:]
            for part in answer.headers.get("Content-Security-Policy", "").split(";")
            if (words := part.split())
        }
        good = (
            answer.status_code < 500
            and answer.headers.get("X-Frame-Options") == "DENY"
            and answer.headers.get("X-Content-Type-Options") == "nosniff"
            and answer.headers.get("Referrer-Policy") == "same-origin"
            and policy.get("frame-ancestors") == ["'none'"]
            and policy.get("base-uri") == ["'none'"]
            and policy.get("form-action") == ["'self'"]
            and policy.get("default-src") == ["'self'"]
            and policy.get("script-src") == ["'self'", "'unsafe-eval'"]
        )
        if not good:
            bad[page.path] = (answer.status_code, dict(answer.headers))
    assert bad == {}


def test_no_post_without_a_token_does_anything(
    everything: list[Page], browser: Callable[..., Client], root: User
) -> None:
    """W-07: CSRF, on 100 % of the URL map; W-13: so for every command."""
    client = browser(root, enforce_csrf_checks=True)
    # (Which operation is meant decides in the API: be/tests/api/test_tokens.py.)
    answers = {
        page.path: client.post(page.path, {"post": "yes"})
        for page in everything
        if page.name != "api"
    }
    wrong = {
        path: answer.status_code for path, answer in answers.items() if answer.status_code != 403
    }
    assert wrong == {}
    page = next(iter(answers.values())).content.decode()
    assert "This form is out of date" in page


HOSTILE_HOSTS = ("evil.example", "localhost.evil.example", "evil.example:80", "a b", "ex@mple", "")


@pytest.mark.parametrize("host", HOSTILE_HOSTS)
def test_a_foreign_host_name_is_answered_with_400(
    host: str, everything: list[Page], browser: Callable[..., Client], root: User
) -> None:
    """W-08: 100 % of the URL map; the name is not repeated."""
    client = browser(root)
    some = everything if host == HOSTILE_HOSTS[0] else everything[:3]
    for page in some:
        answer = client.get(page.path, headers={"host": host})
        assert (page.path, answer.status_code) == (page.path, 400)
    text = answer.content.decode()
    assert "Levity does not answer to this name" in text
    assert "HOSTNAME" in text
    assert "evil" not in text


def test_a_name_in_x_forwarded_host_is_not_believed(client: Client, db: None) -> None:
    """W-08: redirects stay here."""
    answer = client.get("/admin/", headers={"x-forwarded-host": "evil.example"})
    assert answer.headers["Location"] == "/admin/login/?next=/admin/"


def test_nobody_who_is_not_logged_in_sees_anything(
    everything: list[Page], browser: Callable[..., Client]
) -> None:
    """W-09: the first column of the matrix."""
    client = browser(None)
    assert client.get("/admin/login/").status_code == 200
    for page in everything:
        # The API's documentation is for everybody, and it has 401: be/tests/api.
        if page.name == "login" or page.path.startswith("/api/"):
            continue
        answer = client.get(page.path)
        assert (page.path, answer.status_code) == (page.path, 302)
        to_start = page.path in ("/", "/admin/logout/")
        assert answer.headers["Location"].startswith("/admin/" if to_start else "/admin/login/")
