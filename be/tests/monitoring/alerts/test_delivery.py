"""What was found reaches people: a real mail server, a real web server, and both away."""

import hashlib
import hmac
import json
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.test import Client

from levity import posting
from levity.monitoring.alerts import raise_and_end, webhook
from levity.monitoring.alerts.conditions.finding import Finding
from levity.monitoring.alerts.delivery import MAX_TRIES, send_due
from levity.monitoring.alerts.recipients import Route, routes, seal_secrets
from levity.monitoring.models import Alert, AlertDelivery, AlertRule
from levity.monitoring.worker_threads import alerts_round
from levity.ocpp.models import ChargePoint
from tests.monitoring.receivers import Killed, MailServer, WebServer
from tests.ocpp.charger import NOW, at

pytestmark = pytest.mark.django_db
SECRET = "0123456789abcdef"
MAIL = Route(name="mail", emails=("a@example.net",))


def raised(*summaries: str, routes: tuple[Route, ...] = (MAIL,), **values: Any) -> None:
    findings = [
        Finding("charger-fault", str(number), summary, **values)
        for number, summary in enumerate(summaries)
    ]
    raise_and_end.record(raise_and_end.Look(findings), routes, NOW)


def states() -> list[tuple[str, int, str]]:
    return list(AlertDelivery.objects.values_list("state", "attempts", "error"))


def test_a_mail_says_what_is_wrong_where_and_what_to_do(
    mail_server: MailServer, settings: Any
) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    raised("CP1 reports GroundFailure", detail="pilot")
    assert send_due([MAIL], NOW) == 1
    [(to, mail)] = mail_server.mails
    assert to == ["a@example.net"]
    assert (mail["Subject"], mail["From"]) == (
        "[Levity] Warning: CP1 reports GroundFailure",
        "levity@example.net",
    )
    assert mail.get_payload().replace("\r\n", "\n") == (
        "Warning: CP1 reports GroundFailure\n  pilot\n  2026-11-22 13:00:00 CET\n  What to do: "
        "Check the error code on the charge point's page; a soft reset clears transient errors.\n"
    )
    assert states() == [("sent", 1, "")]


def test_nothing_that_was_sent_is_sent_again(mail_server: MailServer) -> None:
    raised("CP1 reports GroundFailure")
    for _ in range(3):  # as after restarts
        send_due([MAIL], at(3600))
    assert len(mail_server.mails) == 1


def test_a_storm_is_one_mail(mail_server: MailServer) -> None:
    raised(*(f"CP{number} reports GroundFailure" for number in range(300)))
    assert send_due([MAIL], NOW) == 300
    [(_, mail)] = mail_server.mails
    assert mail["Subject"].endswith("(and 299 more)")
    assert "... and 250 more." in mail.get_payload()


def test_a_mail_server_that_is_away_is_tried_again_with_growing_pauses(
    mail_server: MailServer,
) -> None:
    mail_server.refusing = True
    raised("CP1 reports GroundFailure")
    due = []
    for _ in range(8):
        row = AlertDelivery.objects.get()
        send_due([MAIL], row.not_before)
        due.append(AlertDelivery.objects.get().not_before - row.not_before)
    assert due == [timedelta(minutes=minutes) for minutes in (1, 2, 4, 8, 16, 32, 60, 60)]
    [(state, attempts, error)] = states()
    assert (state, attempts) == ("queued", 8)
    assert "451" in error
    mail_server.refusing = False
    send_due([MAIL], AlertDelivery.objects.get().not_before)
    assert [item[0] for item in states()] == ["sent"]
    assert len(mail_server.mails) == 1


def test_it_is_given_up_after_a_day_and_the_reason_is_kept(mail_server: MailServer) -> None:
    mail_server.refusing = True
    raised("CP1 reports GroundFailure")
    AlertDelivery.objects.update(attempts=MAX_TRIES - 1)
    send_due([MAIL], NOW)
    assert [item[0] for item in states()] == ["failed"]


def test_who_dies_while_sending_tries_again_after_a_pause(
    mail_server: MailServer, settings: Any
) -> None:
    backend = settings.EMAIL_BACKEND
    settings.EMAIL_BACKEND = "tests.monitoring.receivers.Dying"
    raised("CP1 reports GroundFailure")
    with pytest.raises(Killed):
        send_due([MAIL], NOW)
    settings.EMAIL_BACKEND = backend
    assert send_due([MAIL], at(59)) == 0
    assert send_due([MAIL], at(60)) == 1
    assert len(mail_server.mails) == 1


def test_no_mail_goes_to_an_address_that_was_taken_out_of_the_rule(
    mail_server: MailServer,
) -> None:
    raised("CP1 reports GroundFailure")
    send_due([Route(name="mail", emails=("b@example.net",))], NOW)
    assert mail_server.mails == []
    assert [item[0] for item in states()] == ["skipped"]


def test_without_a_mail_server_the_reason_says_so() -> None:
    raised("CP1 reports GroundFailure")
    send_due([MAIL], NOW)
    assert states() == [("queued", 1, "EMAIL_URL is not set, so there is no mail server")]


def test_a_webhook_is_signed_and_says_it_in_json(web_server: WebServer) -> None:
    route = Route(name="hook", webhook_url=web_server.url, webhook_secret=SECRET)
    charger = ChargePoint.objects.create(identity="CP1")
    raised("CP1 reports GroundFailure", routes=(route,), charge_point=charger.pk)
    assert send_due([route], NOW) == 1
    [(path, headers, body)] = web_server.posts
    assert path == "/hook?token=t0ken"
    signed = headers["X-Levity-Timestamp"].encode() + b"." + body
    digest = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-Levity-Signature"] == f"sha256={digest}"
    said = json.loads(body)
    assert said["text"] == "Warning: CP1 reports GroundFailure"
    assert said["alerts"] == [
        {
            "id": Alert.objects.get().pk,
            "notice": "raised",
            "kind": "charger-fault",
            "severity": "warning",
            "summary": "CP1 reports GroundFailure",
            "detail": "",
            "charge_point": "CP1",
            "site": None,
            "raised_at": "2026-11-22T12:00:00+00:00",
            "ended_at": None,
            "url": None,
        }
    ]


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_webhook_that_does_not_say_2xx_is_tried_again_and_no_redirect_is_followed(
    web_server: WebServer, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    web_server.status = status
    route = Route(name="hook", webhook_url=web_server.url, webhook_secret=SECRET)
    raised("CP1 reports GroundFailure", routes=(route,))
    assert send_due([route], NOW) == 0
    [(state, attempts, error)] = states()
    assert (state, attempts) == ("queued", 1)
    assert f"127.0.0.1 answered {status}" in error
    assert len(web_server.posts) == 1
    assert SECRET not in caplog.text
    assert "t0ken" not in caplog.text


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/",
        "http://localhost/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://100.100.100.200/",
        "http://224.0.0.1/",
        "file:///etc/passwd",
        "gopher://example.net/",
        "https://user:password@example.net/",
        "https://example.net/\r\nX: y",
        "https:///nowhere",
        "http://example.net:99999/",
    ],
)
def test_a_webhook_never_calls_this_machine_or_a_clouds_metadata(url: str) -> None:
    """S-16, for what this server does call."""
    # Refused before anything is tried: an address that merely does not answer is no proof.
    refusals = "are not called|must begin with|no user or password|percent-encode|not a web address"
    with pytest.raises(webhook.BadWebhook, match=refusals) as refused:
        webhook.post(url, SECRET, "1", {})
    assert "password@" not in str(refused.value)


def test_the_address_that_was_checked_is_the_one_that_is_called(web_server: WebServer) -> None:
    """No second look-up of the name: DNS could have changed its mind. This one has no address."""
    port = web_server.server_address[1]
    connection = posting._connection("http", "hook.invalid", port, ["127.0.0.1"])
    connection.request("POST", "/", b"{}", {})
    assert connection.getresponse().status == 200
    connection.close()
    assert web_server.posts[0][1]["Host"] == f"hook.invalid:{port}"


def test_a_round_finds_tells_and_tells_no_more(
    mail_server: MailServer, web_server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What `serve` does, with what a small site sets."""
    monkeypatch.setenv("LEVITY_ALERT_EMAIL", "a@example.net")
    monkeypatch.setenv("LEVITY_ALERT_WEBHOOK", web_server.url)
    charger = ChargePoint.objects.create(identity="CP1")
    connector = charger.connectors.create(number=1, status="Faulted", error_code="GroundFailure")
    for seconds in (0, 15, 30):
        alerts_round("me", at(seconds))
    assert (len(mail_server.mails), len(web_server.posts)) == (1, 1)
    connector.status, connector.error_code = "Available", "NoError"
    connector.save()
    for seconds in (45, 60, 75, 90, 105):
        alerts_round("me", at(seconds))
    assert [mail["Subject"] for _, mail in mail_server.mails] == [
        "[Levity] Warning: connector 1 of CP1 reports GroundFailure",
        "[Levity] Resolved: connector 1 of CP1 reports GroundFailure",
    ]
    assert [json.loads(body)["alerts"][0]["notice"] for _, _, body in web_server.posts] == [
        "raised",
        "recovered",
    ]


def test_the_command_sends_a_test_and_says_what_became_of_it(
    mail_server: MailServer,
    web_server: WebServer,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(CommandError, match="no alert recipients yet"):
        call_command("test_alert")
    monkeypatch.setenv("LEVITY_ALERT_EMAIL", "a@example.net")
    call_command("test_alert")
    assert capsys.readouterr().out == "environment: email to a@example.net: sent\n"
    assert mail_server.mails[0][1]["Subject"].startswith("[Levity] Test: this is a test")
    web_server.status = 500
    monkeypatch.setenv("LEVITY_ALERT_WEBHOOK", web_server.url)
    with pytest.raises(CommandError, match="1 of 2 could not be sent"):
        call_command("test_alert")
    assert Alert.objects.count() == 0


def hook(url: str, secret: str = SECRET) -> AlertRule:
    rule = AlertRule(name="hook", webhook_url=url)
    rule.keep_secret(secret)
    rule.save()
    return rule


def test_a_secret_that_an_older_release_left_in_clear_is_sealed_by_the_next_round(
    web_server: WebServer,
) -> None:
    """And signs as before; a worker of that release, while there is one, goes on with its own."""
    AlertRule.objects.create(name="hook", webhook_url=web_server.url, webhook_secret=SECRET)
    assert [route.webhook_secret for route in routes({})] == [SECRET]
    assert alerts_round("a", NOW)
    assert SECRET not in repr(AlertRule.objects.values())
    assert [route.webhook_secret for route in routes({})] == [SECRET]


def test_a_new_secret_key_keeps_the_webhook_signed(web_server: WebServer, settings: Any) -> None:
    """While the old one is a fallback; the next round seals anew, and then it need not be."""
    hook(web_server.url)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another-one-" * 5
    assert [route.webhook_secret for route in routes({})] == [SECRET]
    assert seal_secrets() == 1
    settings.SECRET_KEY_FALLBACKS = []
    assert [route.webhook_secret for route in routes({})] == [SECRET]


def test_a_lost_secret_key_sends_nothing_unsigned_and_says_what_to_do(
    web_server: WebServer, settings: Any, admin_user: User
) -> None:
    """It is tried again for a day: time to enter the secret anew."""
    rule = hook(web_server.url)
    settings.SECRET_KEY = "another-one-" * 5
    raised("CP1 reports GroundFailure", routes=tuple(routes({})))
    assert seal_secrets() == 0
    assert send_due(routes({}), NOW) == 0
    assert web_server.posts == []
    [(state, tries, error)] = states()
    assert (state, tries) == ("queued", 1)
    assert "enter it again" in error
    browser = Client()
    browser.force_login(admin_user)
    assert "enter it again" in browser.get("/admin/operation/alert/").content.decode()
    rule.keep_secret(SECRET)
    rule.save()
    assert send_due(routes({}), at(3600)) == 1
    assert len(web_server.posts) == 1
