"""The second step of a login: whoever has only the password is nowhere in."""

import re
from collections.abc import Callable
from io import StringIO
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils.html import escape
from django_otp.oath import totp
from django_otp.plugins.otp_static.models import StaticToken

from levity.accounts import second_step
from levity.accounts.models import Phone
from levity.ocpp.models import AuditEntry
from tests.pages.whole.conftest import PASSWORD
from tests.pages.whole.rows import one_of_each, pages

VERIFY, MANAGE = "/admin/two-factor/verify/", "/admin/two-factor/"


def phone(user: User) -> Phone:
    return Phone.objects.get(user=user)


def code_of(user: User) -> str:
    """What the phone shows; as if half a minute had passed since the last one."""
    device = phone(user)
    Phone.objects.filter(pk=device.pk).update(last_t=-1, throttling_failure_count=0)
    return f"{totp(device.bin_key, drift=device.drift):06d}"


def wrong(user: User) -> str:
    return f"{(int(code_of(user)) + 500_000) % 1_000_000:06d}"


@pytest.fixture
def anna(person: Callable[..., User]) -> User:
    return person("anna", "Admin")


@pytest.fixture
def secured(anna: User) -> User:
    """Anna, who has set it up."""
    assert second_step.confirm(second_step.new_device(anna), code_of_new(anna))
    return anna


@pytest.fixture
def paper(secured: User) -> list[str]:
    """Her codes on paper, as she wrote them down."""
    return second_step.new_codes(secured)


def code_of_new(user: User) -> str:
    return f"{totp(second_step.new_device(user).bin_key):06d}"


def with_password(client: Client | None = None, name: str = "anna") -> Client:
    client = client or Client()
    client.post("/admin/login/", {"username": name, "password": PASSWORD})
    return client


def test_setting_it_up_with_the_phone_and_logging_in_with_it(
    anna: User, browser: Callable[..., Client]
) -> None:
    client = browser(anna)
    page = client.get(MANAGE).content.decode()
    assert 'src="data:image/svg+xml' in page
    # A wrong code changes nothing.
    assert "Wrong code" in client.post(MANAGE, {"code": "abcdef"}).content.decode()
    assert not second_step.is_on(User.objects.get(pk=anna.pk))
    Phone.objects.update(throttling_failure_count=0)
    answer = client.post(MANAGE, {"code": code_of_new(anna)}, follow=True)
    codes = re.findall(r'<li><code class="lv-address">(\w{8})</code>', answer.content.decode())
    assert len(codes) == second_step.CODES
    # Shown once.
    assert codes[0] not in client.get(MANAGE).content.decode()
    # This session goes on; a new one needs the code.
    assert client.get("/admin/").status_code == 200
    other = with_password()
    answer = other.get("/admin/ocpp/chargepoint/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{VERIFY}?next=/admin/ocpp/chargepoint/"
    given = {"code": code_of(anna), "next": "/admin/ocpp/chargepoint/"}
    assert other.post(VERIFY, given).headers["Location"] == "/admin/ocpp/chargepoint/"
    assert other.get("/admin/").status_code == 200
    said = list(AuditEntry.objects.values_list("what", flat=True))
    assert said == ["two-factor login switched on"]


DOCS = "/api/docs"


@pytest.mark.usefixtures("paper")
def test_with_the_password_alone_every_address_leads_to_the_second_step(secured: User) -> None:
    """W-09: on 100 % of the URL map, GET and POST."""
    rows = one_of_each("secretrow")
    client = with_password()
    led: set[str] = set()
    for page in pages(rows):
        if page.path in ("/", VERIFY):
            continue
        if page.path.startswith("/api/"):
            # Programs are not led anywhere; the documentation is for everybody.
            answer = client.get(page.path, follow=True)
            assert answer.status_code in (401, 404) or answer.request["PATH_INFO"] == DOCS
            assert "secretrow" not in answer.content.decode()
            continue
        for method in (client.get, client.post):
            answer = method(page.path)
            while (answer.status_code, VERIFY in answer.headers["Location"]) == (302, False):
                answer = client.get(answer.headers["Location"])
            path, _, asked = answer.headers["Location"].partition("?")
            assert (page.path, path) == (page.path, VERIFY)
            assert not answer.content
            led.add(asked)
    # What was asked for stands there, to go on to, and nothing else of it.
    for asked in sorted(filter(None, led))[:: len(led) // 5]:
        text = client.get(VERIFY, QUERY_STRING=asked).content.decode()
        path = parse_qs(asked)["next"][0]
        assert f'value="{escape(path)}"' in text
        assert "secretrow" not in text.replace(escape(path), "")
    assert second_step.codes_left(secured) == second_step.CODES


def test_a_code_on_paper_opens_once(secured: User, paper: list[str]) -> None:
    typed = f" {paper[0][:4].upper()} {paper[0][4:]} "
    client = with_password()
    assert client.post(VERIFY, {"code": typed}).headers["Location"] == "/admin/"
    assert client.get("/admin/").status_code == 200
    assert with_password().post(VERIFY, {"code": typed}).status_code == 200
    assert second_step.codes_left(secured) == second_step.CODES - 1


def test_a_code_of_the_phone_opens_once(secured: User) -> None:
    code = code_of(secured)
    assert with_password().post(VERIFY, {"code": code}).status_code == 302
    assert with_password().post(VERIFY, {"code": code}).status_code == 200


def test_guessing_codes_is_slowed_down_and_says_so(secured: User, paper: list[str]) -> None:
    """W-06: the second step, too. Each wrong code doubles the time before the next is looked at."""
    client = with_password()
    client.post(VERIFY, {"code": wrong(secured)})
    assert phone(secured).throttling_failure_count == 1
    # As if it were the sixth.
    Phone.objects.update(throttling_failure_count=6)
    answer = client.post(VERIFY, {"code": f"{totp(phone(secured).bin_key):06d}"})
    assert re.search(r"Try again in (2|3)\d s\.", answer.content.decode())
    # That was the right one; within that time it counts for nothing.
    assert client.get("/admin/").status_code == 302
    # Codes on paper are counted by themselves: the owner gets in with one.
    assert client.post(VERIFY, {"code": paper[0]}).status_code == 302


@pytest.mark.parametrize(
    "code", ["", " ", "12345", "1234567", "१२३४५६", "' or 1=1 --", "x" * 500, "\x00", "-1"]
)
def test_what_is_no_code_is_refused(code: str, secured: User) -> None:
    client = with_password()
    assert client.post(VERIFY, {"code": code}).status_code == 200
    assert client.get("/admin/").status_code == 302


@pytest.mark.parametrize(
    "wanted", ["//evil.example/", "https://evil.example/", "javascript:alert(1)", "\\\\evil", ""]
)
def test_after_the_code_one_stays_on_this_site(wanted: str, secured: User) -> None:
    answer = with_password().post(VERIFY, {"code": code_of(secured), "next": wanted})
    assert answer.headers["Location"] == "/admin/"


def test_a_code_of_somebody_else_does_not_open(secured: User, person: Callable[..., User]) -> None:
    other = person("mallory")
    second_step.confirm(second_step.new_device(other), code_of_new(other))
    assert with_password().post(VERIFY, {"code": code_of(other)}).status_code == 200


def test_the_session_of_the_password_is_not_the_one_behind_the_code(secured: User) -> None:
    client = with_password()
    before = client.session.session_key
    client.post(VERIFY, {"code": code_of(secured)})
    assert client.session.session_key != before


def test_one_can_go_back_and_log_in_as_somebody_else(secured: User) -> None:
    client = with_password()
    assert client.post(VERIFY, {"leave": "1"}).headers["Location"] == "/admin/login/"
    assert "_auth_user_id" not in client.session


@pytest.mark.usefixtures("paper")
def test_switching_it_off_and_new_codes_ask_for_a_code(secured: User) -> None:
    client = with_password()
    client.post(VERIFY, {"code": code_of(secured)})
    for path in (f"{MANAGE}off/", f"{MANAGE}codes/"):
        assert client.post(path, {"code": wrong(secured)}).status_code == 200
    assert second_step.is_on(User.objects.get(pk=secured.pk))
    old = set(StaticToken.objects.values_list("token", flat=True))
    client.post(f"{MANAGE}codes/", {"code": code_of(secured)})
    assert old
    assert not old & set(StaticToken.objects.values_list("token", flat=True))
    client.post(f"{MANAGE}off/", {"code": code_of(secured)})
    assert not Phone.objects.exists()
    assert not StaticToken.objects.exists()
    assert with_password().get("/admin/").status_code == 200


def test_a_site_can_want_it_from_everybody(anna: User, settings: Any) -> None:
    settings.LEVITY_REQUIRE_TWO_FACTOR = True
    client = with_password()
    answer = client.get("/admin/ocpp/message/", follow=True)
    assert answer.redirect_chain[-1][0] == f"{MANAGE}?next=/admin/ocpp/message/"
    assert "Two-factor login is required for everyone" in answer.content.decode()
    assert client.post(MANAGE, {"code": code_of_new(anna)}).status_code == 302
    assert client.get("/admin/ocpp/message/").status_code == 200
    # And nobody switches it off for himself.
    client.post(f"{MANAGE}off/", {"code": code_of(anna)})
    assert Phone.objects.filter(user=anna, confirmed=True).exists()


def test_an_admin_helps_somebody_who_lost_the_phone(
    person: Callable[..., User], browser: Callable[..., Client], root: User
) -> None:
    lost = person("lost", "Operator")
    for user in (lost, root):
        second_step.confirm(second_step.new_device(user), code_of_new(user))
    chief = browser(person("chief", "Admin"))
    address = "/admin/auth/user/"
    assert "on</span>" in chief.get(address).content.decode()
    chief.post(address, {"action": "end_second_step", "_selected_action": [lost.pk, root.pk]})
    # A superuser's is not an admin's to take away.
    assert list(Phone.objects.values_list("user", flat=True)) == [root.pk]
    assert AuditEntry.objects.get().object_id == str(lost.pk)
    operator = browser(person("other", "Operator"))
    answer = operator.post(address, {"action": "end_second_step", "_selected_action": [root.pk]})
    assert answer.status_code == 403


@pytest.mark.usefixtures("paper")
def test_the_command_is_the_way_back_in(secured: User) -> None:
    said = StringIO()
    call_command("two_factor", stdout=said)
    call_command("two_factor", "anna", stdout=said)
    call_command("two_factor", "anna", "--off", stdout=said)
    call_command("two_factor", "anna", "--off", stdout=said)
    assert said.getvalue().splitlines() == [
        "anna: two-factor, 10 recovery codes left",
        "anna: two-factor, 10 recovery codes left",
        "anna: two-factor login is off; the password is enough again",
        "anna: two-factor login was not on",
    ]
    assert with_password().get("/admin/").status_code == 200
    with pytest.raises(CommandError, match="no login 'bob'"):
        call_command("two_factor", "bob")


def test_keys_of_phones_are_on_no_page(secured: User, root: User) -> None:
    """Not even a superuser reads another person's key in the admin."""
    client = Client()
    client.force_login(root)
    key = phone(secured).key
    for path in ("/admin/auth/user/", f"/admin/auth/user/{secured.pk}/change/", MANAGE):
        assert key not in client.get(path).content.decode()
    assert client.get("/admin/otp_totp/totpdevice/").status_code == 404


def everything() -> str:
    """Every value of the two tables, as somebody reads them who has the database."""
    return repr([*Phone.objects.values_list(), *StaticToken.objects.values_list()])


def clear(user: User) -> str:
    """The key of this phone as an older release kept it."""
    return phone(user).bin_key.hex()


def test_neither_the_key_of_a_phone_nor_a_code_on_paper_stands_in_the_database(
    secured: User, paper: list[str]
) -> None:
    """Who has a copy of the database has nobody's second step."""
    assert len(phone(secured).bin_key) == 20
    assert clear(secured) not in everything()
    assert phone(secured).bin_key.decode("latin-1") not in everything()
    assert not [code for code in paper if code in everything()]
    # What stands there is no code either.
    token = StaticToken.objects.first()
    assert token
    assert second_step.check_code(secured, token.token) is None


def test_what_an_older_release_kept_in_clear_goes_on_and_is_sealed(
    secured: User, paper: list[str]
) -> None:
    """By the next login, and by the daily round for whoever does not log in."""
    key, code = clear(secured), paper[0]
    Phone.objects.update(key=key)
    StaticToken.objects.filter(pk__in=StaticToken.objects.values("pk")[:1]).update(token="abcd2345")
    assert with_password().post(VERIFY, {"code": "abcd2345"}).status_code == 302
    assert with_password().post(VERIFY, {"code": code_of(secured)}).status_code == 302
    assert key not in everything()
    assert clear(secured) == key
    Phone.objects.update(key=key)
    StaticToken.objects.filter(pk__in=StaticToken.objects.values("pk")[:1]).update(token="abcd2345")
    call_command("prune")
    assert key not in everything()
    assert "abcd2345" not in everything()
    assert clear(secured) == key
    assert second_step.check_code(secured, "abcd2345") is not None
    assert second_step.check_code(secured, code) is None


def test_a_new_secret_key_keeps_phones_and_paper_while_the_old_one_is_a_fallback(
    secured: User, paper: list[str], settings: Any
) -> None:
    """SECRET_KEY_FALLBACKS; after the daily round the keys of phones need it no more."""
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-one-" * 5
    assert second_step.check_code(secured, paper[0]) is not None
    call_command("prune")
    settings.SECRET_KEY_FALLBACKS = []
    assert second_step.check_code(secured, code_of(secured)) is not None


def test_a_lost_secret_key_keeps_people_out_and_says_what_to_do(
    secured: User, settings: Any
) -> None:
    """Never in with the password alone, and no error page."""
    code = code_of(secured)
    settings.SECRET_KEY = "another-one-" * 5
    client = with_password()
    answer = client.post(VERIFY, {"code": code})
    assert "levity two_factor YOUR-NAME --off" in answer.content.decode()
    assert client.get("/admin/").status_code == 302
    call_command("prune")
    call_command("two_factor", "anna", "--off", stdout=StringIO())
    assert client.get("/admin/").status_code == 200
    assert second_step.confirm(second_step.new_device(secured), code_of_new(secured))


def test_a_phone_that_was_never_confirmed_gets_another_key_after_a_lost_secret_key(
    anna: User, browser: Callable[..., Client], settings: Any
) -> None:
    """Setting it up anew just works."""
    old = second_step.new_device(anna).key
    settings.SECRET_KEY = "another-one-" * 5
    assert browser(anna).get(MANAGE).status_code == 200
    assert second_step.new_device(anna).key != old
