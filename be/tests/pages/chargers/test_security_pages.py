"""The page “Security” of a charge point, and the onboarding doctor."""

import csv
import io
import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from levity.ocpp.chargers.security.keys import digest_of
from levity.ocpp.chargers.security.reasons import REASONS
from levity.ocpp.models import (
    AuditEntry,
    AuthFailure,
    ChargePoint,
    Command,
    Credential,
    RefusedHandshake,
)
from levity.ocpp.models import (
    Site as Place,
)
from levity.ocpp.worker.tidying import KEPT_OTHERS, KEPT_WITH_IDENTITY, tidy
from levity_ws.edge.refusal_reports import LISTED
from tests.ocpp.charger import CentralSystem
from tests.ocpp.keyed_lines import Line
from tests.ocpp.keyring import KEY, asks, basic, charge_point, status

pytestmark = pytest.mark.django_db

PAGE = "admin:ocpp_chargepoint_security"
DOCTOR = reverse("admin:ocpp_refusedhandshake_changelist")


@pytest.fixture
def browser(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("root"))
    return client


def change(browser: Client, row: ChargePoint, kind: str, **values: Any) -> Any:
    """Fill in the page of this change, and send it."""
    url = reverse(f"{PAGE}_{kind}", args=[row.pk])
    assert browser.get(url).status_code == 200
    return browser.post(url, values)


def errors(answer: Any) -> str:
    assert answer.status_code == 200
    return str(answer.context["form"].errors)


def key_in(answer: Any) -> str:
    """The key that the page shows once."""
    assert "no-store" in answer.headers["Cache-Control"]
    found = re.search(r'<code class="lv-address">([0-9a-f]{40})</code>', answer.content.decode())
    assert found is not None
    return found[1]


def test_an_open_charge_point_says_that_it_is_open(browser: Client) -> None:
    """The default of a new site, shown as such: on its page and on the page of its security."""
    row = ChargePoint.objects.create(identity="CP1")
    for name in ("admin:ocpp_chargepoint_change", PAGE):
        page = browser.get(reverse(name, args=[row.pk])).content.decode()
        assert "0: open, no key required" in page


def test_a_generated_key_is_shown_once_and_opens(browser: Client) -> None:
    """S-07: 20 random bytes; from then on the page knows only that there is one."""
    row = charge_point(key=None)
    key = key_in(change(browser, row, "generate"))
    site = CentralSystem()
    assert status(asks(site, authorization=basic(password=key))) == 101
    assert status(asks(site, authorization=basic(password=bytes.fromhex(key)))) == 101
    for name in (PAGE, "admin:ocpp_chargepoint_change", "admin:ocpp_chargepoint_history"):
        assert key not in browser.get(reverse(name, args=[row.pk])).content.decode()
    entry = AuditEntry.objects.get()
    assert entry.what == "security: new key generated"


def test_a_key_that_the_charger_has_is_set_and_not_shown(browser: Client) -> None:
    """S-06, S-07."""
    row = charge_point(key=None)
    assert "shorter than 16 bytes" in errors(change(browser, row, "set", key="short"))
    assert "shorter than 16 bytes" in errors(change(browser, row, "set", key="ab" * 15))
    answer = change(browser, row, "set", key="a key: with ümlauts")
    assert answer.status_code == 302
    page = browser.get(reverse(PAGE, args=[row.pk])).content.decode()
    assert "a key: with" not in page
    assert status(asks(CentralSystem(), authorization=basic(password="a key: with ümlauts"))) == 101


def test_the_empty_password_of_a_grizzl_e_must_be_allowed(browser: Client) -> None:
    """S-07: Grizzl-E Smart Connect (GWM-07.020) sends one."""
    row = charge_point(key=None)
    assert "shorter than 16 bytes" in errors(change(browser, row, "set", key=""))
    assert change(browser, row, "set", key="", allow_short="on").status_code == 302
    assert status(asks(CentralSystem(), authorization=basic(password=""))) == 101
    assert "may be short or empty" in browser.get(reverse(PAGE, args=[row.pk])).content.decode()


def test_a_profile_is_raised_with_a_key_and_lowered_only_on_purpose(browser: Client) -> None:
    """S-11: by a person, on this page; never by accident."""
    row = charge_point(profile=0, key=None)
    assert "No key is set" in errors(change(browser, row, "profile", profile=1))
    Credential.objects.update(digest=digest_of(KEY.encode()))
    assert change(browser, row, "profile", profile=2).status_code == 302
    assert "lower than the current" in errors(change(browser, row, "profile", profile=0))
    assert change(browser, row, "profile", profile=0, lower="on").status_code == 302
    assert ChargePoint.objects.get().security_profile == 0


def test_a_key_is_changed_over_ocpp_and_the_page_shows_how_it_went(
    browser: Client, line: Line
) -> None:
    """TC_073: the new key goes to the charger; when it has accepted, the old one is dead."""
    key = key_in(change(browser, line.row, "rotate"))
    (frame,) = line.sent()
    assert f'"value":"{key}"' in frame.replace(" ", "")
    page = browser.get(reverse(PAGE, args=[line.row.pk])).content.decode()
    assert "both are valid" in page
    assert key not in page
    command = Command.objects.get()
    line.site.take(line.charger.answers(command.unique_id, {"status": "Accepted"}))
    page = browser.get(reverse(PAGE, args=[line.row.pk])).content.decode()
    assert "AuthorizationKey" in page
    assert "Accepted" in page
    for url in ("admin:ocpp_command_change", "admin:ocpp_message_changelist"):
        arguments = [command.pk] if url.endswith("change") else []
        assert key not in browser.get(reverse(url, args=arguments)).content.decode()
    assert status(asks(line.site, authorization=basic(password=key))) == 101
    assert status(asks(line.site, authorization=basic())) == 401


def test_a_profile_is_raised_over_ocpp(browser: Client, line: Line) -> None:
    """TC_083, from the page; what is not higher is not sent."""
    assert "It is already 1" in errors(change(browser, line.row, "raise", profile=1))
    assert change(browser, line.row, "raise", profile=2).status_code == 302
    assert '"SecurityProfile"' in line.sent()[0]


def test_unlocking_forgets_the_guesses(browser: Client) -> None:
    """S-05: the installer on the phone need not wait."""
    row = charge_point()
    site = CentralSystem()
    for number in range(11):
        last = asks(site, authorization=basic(password=f"guess {number:020}"))
    assert status(last) == 429
    assert change(browser, row, "unlock").status_code == 302
    assert not AuthFailure.objects.exists()
    assert status(asks(site, authorization=basic())) == 101


def test_only_who_may_change_credentials_gets_there() -> None:
    """S-06: not a viewer, not an operator; and nobody by GET."""
    row = charge_point()
    user = User.objects.create_user("viewer", is_staff=True)
    views = Permission.objects.filter(codename__startswith="view_")
    user.user_permissions.set([*views, Permission.objects.get(codename="change_chargepoint")])
    client = Client()
    client.force_login(user)
    before = Credential.objects.values().get()
    for name in (PAGE, f"{PAGE}_generate", f"{PAGE}_profile"):
        url = reverse(name, args=[row.pk])
        assert client.get(url).status_code == 403
        assert client.post(url, {"profile": 0, "lower": "on"}).status_code == 403
    assert Credential.objects.values().get() == before
    assert (
        "security/"
        not in client.get(reverse("admin:ocpp_chargepoint_change", args=[row.pk])).content.decode()
    )


def test_a_new_charge_point_begins_with_the_profile_of_its_site(
    browser: Client, settings: Any
) -> None:
    """Written down before it connects: its site says, else the setting."""
    settings.OCPP_SECURITY_PROFILE = 1
    place = Place.objects.create(name="Garage", security_profile=2)
    for identity, site in (("A", place.pk), ("B", "")):
        form = {"identity": identity, "registration": "Accepted", "quirk_overrides": "{}"}
        answer = browser.post(
            reverse("admin:ocpp_chargepoint_add"), {**form, "site": site}, follow=True
        )
        assert "generate one under “Security”" in answer.content.decode()
    rows = ChargePoint.objects.order_by("identity").values_list("identity", "security_profile")
    assert list(rows) == [("A", 2), ("B", 1)]


@pytest.mark.parametrize(
    ("call", "payload", "said"),
    [
        (
            "ChangeConfiguration",
            '{"key":"SecurityProfile","value":"0"}',
            "OCPP messages can&#x27;t lower it",
        ),
        ("ChangeConfiguration", '{"key":"AuthorizationKey","value":"short"}', "at least 16 bytes"),
        ("GetDiagnostics", '{"location":"http://169.254.169.254/"}', "private network address"),
        ("GetDiagnostics", '{"location":"file:///etc/passwd"}', "must begin with one of"),
    ],
)
def test_a_form_says_why_a_command_is_never_sent(
    browser: Client, line: Line, call: str, payload: str, said: str
) -> None:
    """S-11, S-16: to one charge point, to one that is chosen, to several at once."""
    form = {"call": call, "text": payload, "key": "9c2f1f6e-6f5b-4c3b-8a53-2f5a3f0c9d11"}
    one = reverse("admin:ocpp_chargepoint_send", args=[line.row.pk, "command"])
    many = reverse("admin:ocpp_chargepoint_send_many", args=["command"])
    for url, more in (
        (one, {}),
        (reverse("admin:ocpp_command_add"), {"target": line.row.pk}),
        (many, {"ids": line.row.pk}),
    ):
        answer = browser.post(url, {**form, **more})
        assert said in answer.content.decode(), url
    assert not Command.objects.exists()


def test_an_empty_list_says_how_to_connect_a_charger(browser: Client) -> None:
    page = browser.get(DOCTOR).content.decode()
    assert "No connection has been refused." in page
    assert "/ws/CHARGE_POINT_ID" in page


def test_every_reason_has_a_title_and_a_hint(browser: Client) -> None:
    """Those of the edge, too."""
    assert {label.replace(" ", "-") for label in LISTED} <= set(REASONS)
    for number, word in enumerate(REASONS):
        RefusedHandshake.objects.create(
            identity="CP1", address=f"192.0.2.{number}", reason=word, status=401
        )
    page = browser.get(DOCTOR).content.decode()
    for found in REASONS.values():
        assert found.title in page
        assert found.hint.split("“")[0][:40] in page


def test_a_stranger_is_adopted_with_the_key_that_it_presents(
    browser: Client, settings: Any
) -> None:
    """From the refusal to the connection in two clicks; the digest alone was kept."""
    settings.OCPP_SECURITY_PROFILE = 1
    site = CentralSystem()
    header = basic("NEW 1", KEY)
    assert status(asks(site, "NEW 1", authorization=header)) == 401
    row = RefusedHandshake.objects.get()
    page = browser.get(DOCTOR).content.decode()
    url = reverse("admin:ocpp_refusedhandshake_adopt", args=[row.pk])
    assert url in page
    assert "unknown charge point" in page
    asked = browser.get(url)
    assert (asked.context["form"]["profile"].initial, asked.context["form"]["key"].initial) == (
        1,
        "presented",
    )
    answer = browser.post(url, {"profile": 1, "key": "presented", "name": "Garage"})
    assert answer.status_code == 302
    assert status(asks(site, "NEW 1", authorization=header)) == 101
    assert ChargePoint.objects.get().name == "Garage"
    assert not RefusedHandshake.objects.exists()
    assert "security profile 1" in AuditEntry.objects.get().what


def test_a_stranger_is_adopted_with_a_new_key(browser: Client, settings: Any) -> None:
    settings.OCPP_SECURITY_PROFILE = 2
    site = CentralSystem()
    asks(site, "NEW", secure=True)
    url = reverse("admin:ocpp_refusedhandshake_adopt", args=[RefusedHandshake.objects.get().pk])
    assert "requires a key" in errors(browser.post(url, {"profile": 2, "key": "none"}))
    key = key_in(browser.post(url, {"profile": 2, "key": "new"}))
    assert status(asks(site, "NEW", secure=True, authorization=basic("NEW", key))) == 101


def test_a_wrong_key_is_set_right_where_it_is_the_charger_s(browser: Client) -> None:
    """“Set this key”: and its profile is not lowered on the way."""
    charge_point(profile=2)
    site = CentralSystem()
    header = basic(password="what the charger has, really")
    asks(site, authorization=header, secure=True)
    assert "Set this key" in browser.get(DOCTOR).content.decode()
    url = reverse("admin:ocpp_refusedhandshake_adopt", args=[RefusedHandshake.objects.get().pk])
    assert "Its profile is 2" in errors(browser.post(url, {"profile": 1, "key": "presented"}))
    assert browser.post(url, {"profile": 2, "key": "presented"}).status_code == 302
    assert status(asks(site, authorization=header, secure=True)) == 101


def test_a_short_key_is_adopted_only_on_purpose(browser: Client) -> None:
    charge_point(key=None)
    site = CentralSystem()
    asks(site, authorization=basic(password=""))
    url = reverse("admin:ocpp_refusedhandshake_adopt", args=[RefusedHandshake.objects.get().pk])
    form = {"profile": 1, "key": "presented"}
    assert "shorter than 16 bytes" in errors(browser.post(url, form))
    assert browser.post(url, {**form, "allow_short": "on"}).status_code == 302
    assert status(asks(site, authorization=basic(password=""))) == 101


def test_what_is_no_charger_can_not_be_adopted(browser: Client) -> None:
    row = RefusedHandshake.objects.create(address="192.0.2.1", reason="path", status=404)
    url = reverse("admin:ocpp_refusedhandshake_adopt", args=[row.pk])
    assert browser.post(url, {"profile": 0, "key": "none"}).status_code == 302
    assert not ChargePoint.objects.exists()
    assert url not in browser.get(DOCTOR).content.decode()


def test_the_list_can_be_downloaded(browser: Client) -> None:
    """W-03: what a stranger wrote is no formula."""
    row = RefusedHandshake.objects.create(
        identity="=1+1", address="192.0.2.1", reason="key", status=401, user_agent="@SUM(A1)"
    )
    answer = browser.post(DOCTOR, {"action": "as_csv", "_selected_action": [row.pk]})
    header, line = list(csv.reader(io.StringIO(answer.content.decode())))
    found = dict(zip(header, line, strict=True))
    assert (found["identity"], found["user_agent"]) == ("'=1+1", "'@SUM(A1)")
    assert found["what to do"].startswith("The key in the charger")


def test_a_stranger_without_a_key_is_offered_what_new_ones_begin_with(
    browser: Client, settings: Any
) -> None:
    """Not less than the setting, only because it came with nothing."""
    settings.OCPP_SECURITY_PROFILE = 2
    asks(CentralSystem(), "NEW")
    url = reverse("admin:ocpp_refusedhandshake_adopt", args=[RefusedHandshake.objects.get().pk])
    form = browser.get(url).context["form"]
    assert (form["profile"].initial, form["key"].initial) == (2, "new")
    assert "connected without TLS" in form.fields["profile"].help_text


def test_the_list_is_bounded_and_scanners_do_not_push_chargers_out() -> None:
    """A flood of rubbish from the internet: the newest of each kind stay."""
    RefusedHandshake.objects.bulk_create(
        RefusedHandshake(
            identity=f"CP{number}" if number % 2 else "",
            address=f"192.0.2.{number}",
            reason="path",
            status=404,
        )
        for number in range(3000)
    )
    tidy(timezone.now())
    rows = RefusedHandshake.objects
    assert rows.exclude(identity="").count() == KEPT_WITH_IDENTITY
    assert rows.filter(identity="").count() == KEPT_OTHERS
    assert rows.filter(identity="CP2999").exists()


def test_unlocking_helps_also_who_was_kept_out_by_what_others_guess_there(
    browser: Client, settings: Any
) -> None:
    """S-05: nobody guessed its own key, but it has never been let in from there."""
    settings.OCPP_SECURITY_PROFILE = 1
    row = charge_point()
    site = CentralSystem()
    for number in range(6):
        asks(site, f"X{number}", authorization=basic(f"X{number}", f"guess {number:020}"))
    assert status(asks(site, authorization=basic())) == 429
    assert "some were tried" in browser.get(reverse(PAGE, args=[row.pk])).content.decode()
    assert change(browser, row, "unlock").status_code == 302
    assert status(asks(site, authorization=basic())) == 101
