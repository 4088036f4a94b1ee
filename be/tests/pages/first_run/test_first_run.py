"""The first steps: each can be done or skipped, and nobody is led to them twice."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.core import mail
from django.test import Client
from django.utils import timezone

from levity import mailing
from levity.billing.models import Assignment, Household
from levity.chosen import chosen
from levity.ocpp.models import AuditEntry, ChargePoint, Installation, RefusedHandshake, Site
from levity.pages.first_run import steps

pytestmark = pytest.mark.django_db
PAGE = "/admin/first-steps/"
PASSWORD = "s3cret of the mailbox"
SERVER = {
    "host": "mail.example.net",
    "encryption": "smtp+tls",
    "port": "",
    "user": "house@example.net",
    "password": PASSWORD,
    "sender": "house@example.net",
}


@pytest.fixture(autouse=True)
def nothing_is_chosen(
    settings: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """A computer on which nobody has chosen anything yet."""
    settings.LEVITY_DATA_DIR = tmp_path
    settings.EMAIL_HOST = ""
    settings.LANGUAGE_CODE = "en"
    for name in ("TIME_ZONE", "LEVITY_LANGUAGE"):
        monkeypatch.delenv(name, raising=False)
    yield
    timezone.get_default_timezone.cache_clear()


def text(answer: Any) -> str:
    return " ".join(answer.content.decode().split())


def test_the_steps_lead_from_one_to_the_next_and_from_the_overview(
    browser_of_root: Client, root: User
) -> None:
    assert f'href="{PAGE}"' in text(browser_of_root.get("/admin/")).partition("lv-dashboard")[2]
    names = [step.name for step in steps.steps_of(root)]
    assert names == ["local", "site", "who", "mail", "charger", "household"]
    assert "1. Time zone and language" in text(browser_of_root.get(PAGE))
    for name, following in zip(names, [*names[1:], ""], strict=True):
        page = text(browser_of_root.get(f"{PAGE}{name}/"))
        assert ("Skip this step" in page) == bool(following)
        if following:
            assert f'href="{PAGE}{following}/">Skip this step' in page
    assert browser_of_root.get(f"{PAGE}nothing/").status_code == 404


def test_who_has_skipped_all_is_not_led_there_again_but_finds_it_in_the_menu(
    browser_of_root: Client,
) -> None:
    assert browser_of_root.post(f"{PAGE}local/", {"end": "1"}).headers["Location"] == "/admin/"
    page = text(browser_of_root.get("/admin/"))
    assert PAGE not in page.partition("lv-dashboard")[2]
    assert PAGE in page
    assert Installation.objects.get().first_run_at is not None
    assert AuditEntry.objects.get().what == "ended the first steps"


def test_time_zone_and_language_hold_at_once_and_after_a_restart(
    browser_of_root: Client, settings: Any, tmp_path: Path
) -> None:
    assert 'value="Europe/Berlin"' in text(browser_of_root.get(f"{PAGE}local/"))
    given = {"time_zone": "America/Toronto", "language": "fr"}
    answer = browser_of_root.post(f"{PAGE}local/", given)
    assert answer.headers["Location"] == f"{PAGE}site/"
    assert chosen(tmp_path) == given
    assert (settings.TIME_ZONE, settings.LANGUAGE_CODE) == ("America/Toronto", "fr")
    assert str(timezone.get_default_timezone()) == "America/Toronto"
    assert '<html lang="fr"' in text(browser_of_root.get(f"{PAGE}site/"))
    assert AuditEntry.objects.get().after == given


def test_what_nobody_knows_is_refused_beside_its_field(
    browser_of_root: Client, tmp_path: Path
) -> None:
    given = {"time_zone": "Mars/Base", "language": "xx"}
    page = text(browser_of_root.post(f"{PAGE}local/", given))
    assert "“Mars/Base” is not a time zone" in page
    assert "xx is not one of the available choices" in page
    assert chosen(tmp_path) == {}


def test_what_the_environment_says_is_not_asked(
    browser_of_root: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIME_ZONE", "UTC")
    page = text(browser_of_root.get(f"{PAGE}local/"))
    assert "TIME_ZONE is set in the environment" in page
    assert 'name="time_zone"' not in page


def test_a_site_its_rule_and_its_first_household(browser_of_root: Client, settings: Any) -> None:
    assert "Say first which site there is" in text(browser_of_root.get(f"{PAGE}who/"))
    browser_of_root.post(f"{PAGE}site/", {"name": "Elm Court", "time_zone": "Europe/Paris"})
    answer = browser_of_root.post(f"{PAGE}who/", {"authorization": "known"})
    assert answer.headers["Location"] == f"{PAGE}mail/"
    site = Site.objects.get()
    assert (site.name, site.time_zone, site.authorization) == ("Elm Court", "Europe/Paris", "known")
    given = {"name": "Anna Berg", "flat": "3", "email": "", "language": "nl", "id_tag": "04A1"}
    browser_of_root.post(f"{PAGE}household/", given)
    home = Household.objects.get()
    assert (home.site, home.language) == (site, "nl")
    assert Assignment.objects.get().id_tag == "04A1"
    again = text(browser_of_root.post(f"{PAGE}household/", {**given, "name": "Bo"}))
    assert "Anna Berg" in again
    assert Household.objects.count() == 1


def test_a_mail_server_is_kept_sealed_and_mails_go_through_it(browser_of_root: Client) -> None:
    assert not mailing.has_server()
    page = text(browser_of_root.post(f"{PAGE}mail/", SERVER))
    assert "The mail server is stored" in page
    assert PASSWORD not in page
    row = Installation.objects.get()
    assert "example" not in row.mail_server
    known = mailing.known_server()
    assert (known["EMAIL_HOST"], known["EMAIL_PORT"], known["EMAIL_USE_TLS"]) == (
        "mail.example.net",
        587,
        True,
    )
    assert known["EMAIL_HOST_PASSWORD"] == PASSWORD
    browser_of_root.post(f"{PAGE}mail/", {"test": "1", "address": "me@example.net"})
    [message] = mail.outbox
    assert (message.to, message.from_email) == (["me@example.net"], "house@example.net")
    assert PASSWORD not in str(list(AuditEntry.objects.values_list("after", flat=True)))


def test_a_password_that_is_not_typed_again_goes_to_its_own_server_only(
    browser_of_root: Client,
) -> None:
    browser_of_root.post(f"{PAGE}mail/", SERVER)
    browser_of_root.post(f"{PAGE}mail/", {**SERVER, "password": "", "port": "2525"})
    assert mailing.known_server()["EMAIL_HOST_PASSWORD"] == PASSWORD
    browser_of_root.post(f"{PAGE}mail/", {**SERVER, "password": "", "host": "evil.example"})
    assert mailing.known_server()["EMAIL_HOST_PASSWORD"] == ""


@pytest.mark.parametrize("host", ["a/b", "a b", "x@y", "[::1", "a:99999"])
def test_what_is_no_mail_server_is_refused(browser_of_root: Client, host: str) -> None:
    page = text(browser_of_root.post(f"{PAGE}mail/", {**SERVER, "host": host}))
    assert "Enter the name of the mail server alone" in page
    assert not mailing.has_server()


def test_email_url_counts_before_what_was_entered(browser_of_root: Client, settings: Any) -> None:
    browser_of_root.post(f"{PAGE}mail/", SERVER)
    settings.EMAIL_HOST = "mail.example.org"
    assert "EMAIL_URL names the mail server" in text(browser_of_root.get(f"{PAGE}mail/"))
    assert mailing.known_server() == {}
    assert mailing.sender() == settings.DEFAULT_FROM_EMAIL


def test_a_charger_appears_while_somebody_looks_and_is_put_into_the_only_site(
    browser_of_root: Client,
) -> None:
    step = f"{PAGE}charger/"
    page = text(browser_of_root.get(step))
    assert "localhost" not in page.partition("lv-address")[2].partition("</code>")[0]
    assert "lv-qr" in page
    site = Site.objects.create(name="Elm Court")
    ChargePoint.objects.create(identity="garage-1", connection=uuid4())
    RefusedHandshake.objects.create(
        identity="garage-2",
        reason="unknown",
        status=403,
        first_at=timezone.now(),
        last_at=timezone.now(),
    )
    part = text(browser_of_root.get(step, headers={"X-Levity-Live": "p.lv-arrived:0000"}))
    assert "garage-1" in part
    assert "garage-2" in part
    browser_of_root.post(step)
    assert ChargePoint.objects.get().site == site


def test_only_who_may_decide_is_asked(browser_of_viewer: Client, viewer: User) -> None:
    assert [step.name for step in steps.steps_of(viewer)] == ["charger"]
    assert browser_of_viewer.get(f"{PAGE}mail/").status_code == 404
    assert browser_of_viewer.post(f"{PAGE}charger/", {"end": "1"}).status_code == 403
    assert PAGE not in text(browser_of_viewer.get("/admin/"))
