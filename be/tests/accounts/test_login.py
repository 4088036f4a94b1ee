"""Guessing passwords: at most five tries, whatever the guesser changes, and nobody is kept out."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import NoReverseMatch, reverse
from django.utils import timezone

from tests.pages.whole.conftest import PASSWORD

LOGIN = "/admin/login/"
LIMIT = 5


@pytest.fixture
def anna(person: Callable[..., User]) -> User:
    return person("anna", "Operator")


def attempt(client: Client, name: str, password: str, **meta: Any) -> Any:
    return client.post(LOGIN, {"username": name, "password": password}, **meta)


def tries_until_locked(client: Client, most: int = 12, **each: Any) -> int:
    """How many wrong passwords are looked at before the door is shut."""
    for number in range(most):
        values = {key: value(number) for key, value in each.items()}
        name = values.pop("name", "anna")
        if attempt(client, name, f"wrong {number}", **values).status_code == 429:
            return number + 1
    return most + 1


def test_five_wrong_passwords_lock_the_name_and_the_right_one_is_refused(anna: User) -> None:
    """W-06: brute force."""
    assert tries_until_locked(Client()) == LIMIT
    answer = attempt(Client(), "anna", PASSWORD, REMOTE_ADDR="198.51.100.9")
    assert answer.status_code == 429
    assert "_auth_user_id" not in answer.client.session


def test_a_spray_over_many_names_is_one_guesser(anna: User, person: Callable[..., User]) -> None:
    """W-06: one password for every name, from one address."""
    assert tries_until_locked(Client(), name=lambda number: f"user{number}") == LIMIT
    answer = attempt(Client(), "anna", PASSWORD)
    assert answer.status_code == 429
    # Somebody else, from somewhere else, is not concerned.
    assert attempt(Client(), "anna", PASSWORD, REMOTE_ADDR="203.0.113.5").status_code == 302


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-Ip", "Forwarded", "Client-Ip"])
def test_invented_addresses_in_headers_count_for_nothing(header: str, anna: User) -> None:
    """W-06: rotation of X-Forwarded-For and its relatives; names rotate as well."""
    key = f"HTTP_{header.upper().replace('-', '_')}"
    found = tries_until_locked(
        Client(),
        name=lambda number: f"user{number}",
        **{key: lambda number: f"198.51.100.{number}"},
    )
    assert found == LIMIT


@pytest.fixture
def behind_nginx(settings: Any) -> dict[str, str]:
    """What a request looks like that came through a proxy at 10.0.0.2, which the site trusts."""
    import ipaddress

    settings.LEVITY_TRUSTED_PROXIES = [ipaddress.ip_network("10.0.0.0/24")]
    return {"REMOTE_ADDR": "10.0.0.2"}


def test_behind_a_proxy_the_address_that_it_added_counts(
    anna: User, behind_nginx: dict[str, str]
) -> None:
    """W-06: what the guesser wrote stands left of it, and counts for nothing."""
    found = tries_until_locked(
        Client(**behind_nginx),
        name=lambda number: f"user{number}",
        HTTP_X_FORWARDED_FOR=lambda number: f"198.51.100.{number}, 203.0.113.77",
    )
    assert found == LIMIT
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {"203.0.113.77"}
    # And the others who come through the same proxy are let in.
    other = Client(**behind_nginx)
    answer = attempt(other, "anna", PASSWORD, HTTP_X_FORWARDED_FOR="203.0.113.78")
    assert answer.status_code == 302


def test_a_whole_ipv6_network_is_one_guesser(anna: User) -> None:
    """W-06: everybody has 2^64 of them."""
    found = tries_until_locked(
        Client(),
        name=lambda number: f"user{number}",
        REMOTE_ADDR=lambda number: f"2001:db8:1:2::{number + 1}",
    )
    assert found == LIMIT


def test_other_browsers_and_cookies_do_not_help(anna: User) -> None:
    """W-06."""
    found = [
        attempt(Client(), "anna", f"wrong {number}", HTTP_USER_AGENT=f"agent {number}").status_code
        for number in range(LIMIT)
    ]
    assert found == [200, 200, 200, 200, 429]


def test_who_has_a_login_does_not_wipe_out_his_guesses_at_another(
    anna: User, person: Callable[..., User]
) -> None:
    """W-06: four guesses at anna, an own login, four guesses more."""
    person("mallory")
    client = Client()
    for number in range(4):
        attempt(client, "anna", f"wrong {number}")
    assert attempt(client, "mallory", PASSWORD).status_code == 302
    assert attempt(Client(), "anna", "wrong again").status_code == 429


def test_a_browser_that_is_known_is_not_locked_out_by_strangers(anna: User) -> None:
    """Anybody could keep anna out otherwise, for as long as he likes."""
    hers = Client(REMOTE_ADDR="192.0.2.10")
    assert attempt(hers, "anna", PASSWORD).status_code == 302
    hers.post("/admin/logout/")
    strangers = tries_until_locked(Client(), REMOTE_ADDR=lambda number: f"198.51.100.{number}")
    assert strangers == LIMIT
    assert attempt(hers, "anna", PASSWORD).status_code == 302
    # The mark is hers alone: it opens no other name, and no other browser has it.
    assert attempt(Client(), "anna", PASSWORD, REMOTE_ADDR="192.0.2.11").status_code == 429
    forged = Client(REMOTE_ADDR="192.0.2.12")
    forged.cookies["levity_known"] = hers.cookies["levity_known"].value + "x"
    assert attempt(forged, "anna", PASSWORD).status_code == 429


def test_the_mark_of_a_known_browser_does_not_help_to_guess(anna: User) -> None:
    """W-06: whoever sits at her browser has five tries as well."""
    hers = Client()
    attempt(hers, "anna", PASSWORD)
    hers.post("/admin/logout/")
    assert tries_until_locked(hers) == LIMIT


def test_who_is_locked_out_reads_until_when_and_who_can_help(anna: User) -> None:
    client = Client()
    for number in range(LIMIT):
        answer = attempt(client, "anna", f"wrong {number}")
    text = answer.content.decode()
    assert "Try again in <strong>15 minutes</strong>" in text
    assert "levity axes_reset_username" in text
    assert "levity axes_reset_ip 127.0.0.1" in text
    assert 800 < int(answer.headers["Retry-After"]) <= 900


def test_the_lock_ends_by_itself_and_trying_on_does_not_make_it_longer(anna: User) -> None:
    client = Client()
    tries_until_locked(client)
    for number in range(5):
        assert attempt(client, "anna", f"more {number}").status_code == 429
    AccessAttempt.objects.update(attempt_time=timezone.now() - timedelta(minutes=15, seconds=1))
    assert attempt(client, "anna", PASSWORD).status_code == 302


def test_an_admin_unlocks_on_the_page(
    anna: User, person: Callable[..., User], browser: Callable[..., Client]
) -> None:
    tries_until_locked(Client())
    chief = browser(person("chief", "Admin"), REMOTE_ADDR="192.0.2.10")
    address = reverse("admin:axes_accessattempt_changelist")
    assert "anna" in chief.get(address).content.decode()
    keys = list(AccessAttempt.objects.values_list("pk", flat=True))
    chief.post(address, {"action": "unlock", "_selected_action": keys})
    assert attempt(Client(), "anna", PASSWORD).status_code == 302


@pytest.mark.parametrize(
    ("command", "name"), [("axes_reset_username", "anna"), ("axes_reset_ip", "127.0.0.1")]
)
def test_the_commands_on_the_page_unlock(command: str, name: str, anna: User) -> None:
    tries_until_locked(Client())
    call_command(command, name)
    assert attempt(Client(), "anna", PASSWORD).status_code == 302


def test_passwords_are_nowhere_in_what_is_kept_of_a_login(
    anna: User, caplog: pytest.LogCaptureFixture
) -> None:
    client = Client()
    attempt(client, "my secret in the wrong field", "first secret")
    attempt(client, "anna", "second secret")
    attempt(client, "anna", PASSWORD)
    kept = str([list(AccessAttempt.objects.values()), list(AccessLog.objects.values())])
    for secret in ("first secret", "second secret", PASSWORD):
        assert secret not in kept + caplog.text
    assert "wrong field" not in caplog.text


class CountingHasher(PBKDF2PasswordHasher):
    """Notes each time that the expensive work is done."""

    algorithm = "counting"
    iterations = 1
    done: list[str] = []

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        self.done.append(password)
        return super().encode(password, salt, iterations)


def test_a_name_that_exists_is_answered_as_one_that_does_not(
    settings: Any, person: Callable[..., User]
) -> None:
    """W-12: the same status, the same page, the same work (which is what takes the time)."""
    settings.PASSWORD_HASHERS = [f"{__name__}.CountingHasher"]
    person("anna")
    gone = person("gone")
    User.objects.filter(pk=gone.pk).update(is_active=False)
    answers = {}
    for number, name in enumerate(("anna", "nobody", "gone")):
        CountingHasher.done.clear()
        answer = attempt(Client(), name, "wrong", REMOTE_ADDR=f"192.0.2.{number}")
        page = answer.content.decode().replace(name, "NAME")
        token = answer.context["csrf_token"]
        answers[name] = (answer.status_code, page.replace(str(token), ""), len(CountingHasher.done))
    assert answers["anna"] == answers["nobody"] == answers["gone"]
    assert answers["anna"][2] == 1


def test_there_is_no_password_reset_and_no_sign_up_to_ask_about_names(db: None) -> None:
    """W-12: what is not offered tells nothing. An admin sets a new password, or the shell does."""
    for name in ("admin_password_reset", "admin:admin_password_reset", "password_reset"):
        with pytest.raises(NoReverseMatch):
            reverse(name)
    assert "Forgotten" not in Client().get(LOGIN).content.decode()


def test_a_session_ends_after_the_hours_of_the_setting(anna: User, settings: Any) -> None:
    settings.SESSION_COOKIE_AGE = 2 * 3600
    client = Client()
    answer = attempt(client, "anna", PASSWORD)
    cookie = answer.cookies["sessionid"]
    assert (cookie["max-age"], cookie["httponly"], cookie["samesite"]) == (7200, True, "Lax")


def test_after_the_login_one_is_where_one_wanted_to_be(anna: User) -> None:
    assert attempt(Client(), "anna", PASSWORD).headers["Location"] == "/admin/"
    for wanted, found in (("/admin/ocpp/message/", "/admin/ocpp/message/"), ("//evil", "/admin/")):
        fields = {"username": "anna", "password": PASSWORD, "next": wanted}
        assert Client().post(LOGIN, fields).headers["Location"] == found


def test_logging_in_changes_the_key_of_the_session(anna: User) -> None:
    client = Client()
    session = client.session
    session["x"] = 1
    session.save()
    before = session.session_key
    attempt(client, "anna", PASSWORD)
    assert client.session.session_key != before


def test_everybody_changes_his_own_password(anna: User, browser: Callable[..., Client]) -> None:
    client = browser(anna)
    fields = {
        "old_password": PASSWORD,
        "new_password1": "k7#Lq_29xx",
        "new_password2": "k7#Lq_29xx",
    }
    answer = client.post("/admin/password_change/", fields)
    assert answer.headers["Location"] == "/admin/password_change/done/"
    assert client.get("/admin/").status_code == 200
    anna.refresh_from_db()
    assert anna.check_password("k7#Lq_29xx")


def test_logging_out_needs_a_post_and_ends_the_session(
    anna: User, browser: Callable[..., Client]
) -> None:
    client = browser(anna)
    assert client.get("/admin/logout/").status_code == 405
    assert client.get("/admin/").status_code == 200
    assert client.post("/admin/logout/").status_code == 200
    assert client.get("/admin/").status_code == 302
