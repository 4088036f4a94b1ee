"""The pages of alerts and rules."""

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from levity.operation.models import Alert, AlertDelivery, AlertRule
from tests.ocpp.charger import NOW, at
from tests.operation.receivers import MailServer, WebServer

pytestmark = pytest.mark.django_db
ALERTS, RULES = "/admin/operation/alert/", "/admin/operation/alertrule/"
SECRET = "a-secret-of-mine"
RULE: dict[str, Any] = {
    "name": "House",
    "enabled": "on",
    "least_severity": "warning",
    "emails": "a@example.net, b@example.net",
    "send_recovered": "on",
}


def alert(**values: Any) -> Alert:
    fields = {
        "kind": "charger-fault",
        "severity": "warning",
        "summary": "<b>CP1</b> reports GroundFailure",
        "raised_at": NOW,
        "last_at": NOW,
    }
    return Alert.objects.create(**{**fields, **values})


def errors_of(answer: Any) -> str:
    return str(answer.context["adminform"].form.errors)


def test_an_empty_page_says_what_will_be_there_and_how_to_be_told(browser_of_root: Client) -> None:
    page = browser_of_root.get(ALERTS).content.decode()
    assert "Nothing has gone wrong yet" in page
    assert "Nobody is told of alerts yet" in page


def test_the_page_of_an_alert_says_what_to_do_and_who_was_told(browser_of_root: Client) -> None:
    item = alert(ended_at=at(3700), detail="<script>x</script>")
    for channel, target in (
        ("email", "a@example.net"),
        ("webhook", "https://hooks.example.net/t0ken/path"),
    ):
        AlertDelivery.objects.create(
            alert=item,
            notice="raised",
            channel=channel,
            target=target,
            state="sent",
            not_before=NOW,
            sent_at=NOW,
        )
    listed = browser_of_root.get(ALERTS).content.decode()
    assert "&lt;b&gt;CP1&lt;/b&gt; reports GroundFailure" in listed
    page = browser_of_root.get(f"{ALERTS}{item.pk}/change/").content.decode()
    assert "Read the error code" in page
    assert "1 h 01 min" in page
    assert "hooks.example.net" in page
    assert "t0ken" not in page
    assert "<script>x" not in page


def test_nobody_changes_or_deletes_an_alert(browser_of_root: Client) -> None:
    item = alert()
    browser_of_root.post(f"{ALERTS}{item.pk}/change/", {"summary": "x"})
    assert browser_of_root.post(f"{ALERTS}{item.pk}/delete/", {"post": "yes"}).status_code == 403
    assert Alert.objects.get().summary == item.summary


def test_a_rule_is_made_and_its_secret_is_never_shown(browser_of_root: Client) -> None:
    url = "https://hooks.example.net/x"
    posted = {**RULE, "kinds": ["disk"], "webhook_url": url, "new_secret": SECRET}
    assert browser_of_root.post(f"{RULES}add/", posted).status_code == 302
    rule = AlertRule.objects.get()
    assert (rule.emails, rule.kinds, rule.webhook_secret) == (
        "a@example.net\nb@example.net",
        ["disk"],
        SECRET,
    )
    page = browser_of_root.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert SECRET not in page
    assert SECRET not in browser_of_root.get(RULES).content.decode()
    browser_of_root.post(f"{RULES}{rule.pk}/change/", {**RULE, "webhook_url": url})
    assert AlertRule.objects.get().webhook_secret == SECRET


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"emails": "me"}, "is no e-mail address"),
        ({"emails": ""}, "Whom shall it tell?"),
        ({"webhook_url": "file:///etc/passwd"}, "a webhook begins with https://"),
        ({"new_secret": "short"}, "at least 16 characters"),
        ({"quiet_from": "22:00"}, "both a beginning and an end"),
        ({"kinds": ["nonsense"]}, "Select a valid choice"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_with_the_reason(
    browser_of_root: Client, changed: dict[str, Any], said: str
) -> None:
    answer = browser_of_root.post(f"{RULES}add/", {**RULE, **changed})
    assert said in errors_of(answer).replace("&#x27;", "'")
    assert AlertRule.objects.count() == 0


def test_the_button_sends_a_test_and_says_what_became_of_it(
    browser_of_root: Client, mail_server: MailServer, web_server: WebServer
) -> None:
    web_server.status = 500
    rule = AlertRule.objects.create(
        name="House", emails="a@example.net", webhook_url=web_server.url
    )
    answer = browser_of_root.post(f"{RULES}{rule.pk}/test/", follow=True)
    page = answer.content.decode()
    assert "A test alert was sent to a@example.net." in page
    assert "127.0.0.1 answered 500" in page
    assert (len(mail_server.mails), len(web_server.posts)) == (1, 1)
    assert browser_of_root.get(f"{RULES}{rule.pk}/test/").status_code == 405


def test_who_may_only_look_sends_no_test(db: None) -> None:
    """W-13."""
    viewer = User.objects.create_user("viewer", is_staff=True)
    viewer.user_permissions.set(Permission.objects.filter(codename="view_alertrule"))
    browser = Client()
    browser.force_login(viewer)
    url = "https://hooks.example.net/t0ken"
    rule = AlertRule.objects.create(name="House", emails="a@example.net", webhook_url=url)
    assert browser.post(f"{RULES}{rule.pk}/test/").status_code == 403
    page = browser.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert "a@example.net" in page
    assert "Send test alert" not in page
    assert "t0ken" not in page
