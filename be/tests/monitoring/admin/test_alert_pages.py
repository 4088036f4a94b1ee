"""The pages of alerts and rules."""

import csv
from datetime import UTC
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from levity.accounts.models import Account
from levity.monitoring.models import Alert, AlertDelivery, AlertRule
from levity.ocpp.models import AuditEntry, ChargePoint, Site
from tests.monitoring.receivers import MailServer, WebServer
from tests.ocpp.charger import NOW, at

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
    assert "No one is notified of alerts yet" in page


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
    assert "Check the error code" in page
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
    assert (rule.emails, rule.kinds, rule.secret()) == (
        "a@example.net\nb@example.net",
        ["disk"],
        SECRET,
    )
    page = browser_of_root.get(f"{RULES}{rule.pk}/change/").content.decode()
    assert SECRET not in page
    assert SECRET not in browser_of_root.get(RULES).content.decode()
    browser_of_root.post(f"{RULES}{rule.pk}/change/", {**RULE, "webhook_url": url})
    assert AlertRule.objects.get().secret() == SECRET
    # Nor does it stand in the database.
    assert SECRET not in repr(AlertRule.objects.values())


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"emails": "me"}, "is not an e-mail address"),
        ({"emails": ""}, "Enter an e-mail address or a webhook to notify"),
        ({"webhook_url": "file:///etc/passwd"}, "a webhook must begin with https://"),
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


def at_site(name: str, **values: Any) -> Alert:
    """An alert about a charger of this site."""
    site = Site.objects.create(name=name, time_zone="Europe/Berlin")
    charger = ChargePoint.objects.create(identity=f"CP-{name}", site=site)
    summary = f"CP-{name} reports GroundFailure"
    return alert(site=site, charge_point=charger, summary=summary, **values)


def browser_of(role: str, *sites: Site | None) -> Client:
    """Somebody with this role, who sees these sites only."""
    user = User.objects.create_user(f"{role}-of-{len(sites)}", is_staff=True)
    user.groups.add(Group.objects.get(name=role))
    if sites:
        Account.objects.create(user=user, limited=True).sites.set([s for s in sites if s])
    browser = Client()
    browser.force_login(user)
    return browser


def listed(browser: Client, **query: str) -> list[int]:
    return [item.pk for item in browser.get(ALERTS, query).context["cl"].result_list]


def test_who_sees_one_site_is_led_to_the_alerts_of_that_site_and_to_no_others() -> None:
    """In the sidebar, on the first page, in the list and in its file."""
    mine, other = at_site("mine", severity="critical"), at_site("other")
    nobodys = alert(kind="disk", summary="/ is full")
    AlertDelivery.objects.create(
        alert=mine, notice="raised", channel="email", target="boss@example.net", not_before=NOW
    )
    AlertRule.objects.create(name="House", emails="boss@example.net")
    browser = browser_of("Viewer", mine.site)
    first = browser.get("/admin/").content.decode()
    assert f'href="{ALERTS}"' in first
    assert "open alert not acknowledged, 1 of them critical" in first
    assert listed(browser) == [mine.pk]
    assert browser.get(f"{ALERTS}{other.pk}/change/").status_code == 302
    assert browser.get(f"{ALERTS}{nobodys.pk}/change/").status_code == 302
    file = browser.get(f"{ALERTS}export/").getvalue().decode()
    assert "CP-mine" in file
    assert "CP-other" not in file
    assert "/ is full" not in file
    # Whose addresses are told is not one site's business, nor are the rules.
    page = browser.get(f"{ALERTS}{mine.pk}/change/").content.decode()
    assert "CP-mine reports GroundFailure" in page
    assert "boss@example.net" not in page
    assert f'href="{RULES}"' not in first
    everybody = browser_of("Viewer")
    assert len(listed(everybody)) == 3
    assert "boss@example.net" in everybody.get(f"{ALERTS}{mine.pk}/change/").content.decode()


def test_who_sees_one_site_is_led_to_alerts_about_the_site_as_a_whole() -> None:
    """Its quarantine is nobody's charger, but it is this site's."""
    mine, other = Site.objects.create(name="mine"), Site.objects.create(name="other")
    wanted = alert(kind="quarantine", site=mine, summary="2 messages wait in quarantine")
    alert(kind="quarantine", site=other, summary="3 messages wait in quarantine")
    alert(kind="quarantine", summary="4 messages wait in quarantine")
    browser = browser_of("Operator", mine)
    assert listed(browser) == [wanted.pk]
    page = browser.get(f"{ALERTS}{wanted.pk}/change/").content.decode()
    assert "2 messages wait in quarantine" in page
    assert "not acknowledged" in browser.get("/admin/").content.decode()
    # A charger is where it is now, wherever it was when the alert came.
    moved = alert(
        site=mine, charge_point=ChargePoint.objects.create(identity="CP-moved", site=other)
    )
    assert moved.pk not in listed(browser)


def test_a_token_behind_a_webhook_s_host_is_not_shown() -> None:
    """Also where no path stands before it."""
    AlertRule.objects.create(name="House", webhook_url="https://hook.example.net?token=geheim")
    first = alert(severity="critical")
    AlertDelivery.objects.create(
        alert=first,
        notice="raised",
        channel="webhook",
        target="https://hook.example.net:8443?token=geheim",
        not_before=NOW,
    )
    browser = browser_of("Viewer")
    pages = [browser.get(path).content.decode() for path in (RULES, f"{ALERTS}{first.pk}/change/")]
    assert ["geheim" in page for page in pages] == [False, False]
    assert ["hook.example.net" in page for page in pages] == [True, True]


def test_an_empty_page_is_empty_for_whom_it_is_empty() -> None:
    """What happened elsewhere is not hinted at."""
    at_site("other")
    browser = browser_of("Viewer", Site.objects.create(name="mine"))
    assert "Nothing has gone wrong yet" in browser.get(ALERTS).content.decode()
    assert "not acknowledged" not in browser.get("/admin/").content.decode()


def test_an_alert_is_acknowledged_with_who_and_when_and_taken_back() -> None:
    item = at_site("mine")
    browser = browser_of("Operator", item.site)
    page = browser.get(f"{ALERTS}{item.pk}/change/").content.decode()
    assert f'action="{ALERTS}{item.pk}/acknowledge/"' in page
    answer = browser.post(f"{ALERTS}{item.pk}/acknowledge/", follow=True)
    item.refresh_from_db()
    assert item.acknowledged_by == "Operator-of-1"
    assert item.acknowledged_at is not None
    assert "Operator-of-1 is handling it" in answer.content.decode()
    assert "not acknowledged" not in browser.get("/admin/").content.decode()
    # Who was first stays.
    browser_of("Admin").post(f"{ALERTS}{item.pk}/acknowledge/")
    item.refresh_from_db()
    assert item.acknowledged_by == "Operator-of-1"
    browser.post(f"{ALERTS}{item.pk}/acknowledge/", {"take_back": "1"})
    item.refresh_from_db()
    assert (item.acknowledged_at, item.acknowledged_by) == (None, "")
    said = list(AuditEntry.objects.order_by("pk").values_list("what", flat=True))
    assert said == ["acknowledged", "acknowledgement withdrawn"]


def test_many_alerts_are_acknowledged_at_once_but_only_ones_own() -> None:
    mine, other = at_site("mine"), at_site("other")
    browser = browser_of("Operator", mine.site)
    chosen = {"action": "acknowledge", "_selected_action": [mine.pk, other.pk]}
    assert browser.post(ALERTS, chosen).status_code == 302
    assert list(Alert.objects.filter(acknowledged_at__isnull=False)) == [mine]
    assert browser.post(f"{ALERTS}{other.pk}/acknowledge/").status_code == 404
    assert listed(browser, acknowledged="yes") == [mine.pk]
    assert listed(browser, acknowledged="no") == []
    browser.post(ALERTS, {"action": "take_back", "_selected_action": [mine.pk, other.pk]})
    assert not Alert.objects.filter(acknowledged_at__isnull=False).exists()


def test_who_may_only_look_acknowledges_nothing() -> None:
    """W-13: and nobody does it with a link."""
    item = at_site("mine")
    viewer = browser_of("Viewer", item.site)
    assert viewer.post(f"{ALERTS}{item.pk}/acknowledge/").status_code == 403
    viewer.post(ALERTS, {"action": "acknowledge", "_selected_action": [item.pk]})
    assert "Acknowledge</button>" not in viewer.get(f"{ALERTS}{item.pk}/change/").content.decode()
    assert browser_of("Operator").get(f"{ALERTS}{item.pk}/acknowledge/").status_code == 405
    assert Client().post(f"{ALERTS}{item.pk}/acknowledge/").status_code == 302
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(User.objects.create_superuser("root"))
    assert strict.post(f"{ALERTS}{item.pk}/acknowledge/").status_code == 403
    assert Alert.objects.get(pk=item.pk).acknowledged_at is None


def test_alerts_are_filtered(browser_of_root: Client) -> None:
    bad = at_site("one", severity="critical")
    over = at_site("two", kind="charger-offline", ended_at=at(60))
    assert listed(browser_of_root, open="yes") == [bad.pk]
    assert listed(browser_of_root, open="no") == [over.pk]
    assert listed(browser_of_root, severity__exact="critical") == [bad.pk]
    assert listed(browser_of_root, kind__exact="charger-offline") == [over.pk]
    assert listed(browser_of_root, site__id__exact=str(over.site_id)) == [over.pk]


def test_the_list_is_a_file_with_the_same_filters_and_without_formulas(
    browser_of_root: Client,
) -> None:
    """W-03."""
    at_site("over", ended_at=at(60))
    text = "=HYPERLINK(1)"
    item = at_site("mine", detail="@sum", acknowledged_at=at(30), acknowledged_by="+anna")
    Alert.objects.filter(pk=item.pk).update(summary=text)
    answer = browser_of_root.get(f"{ALERTS}export/", {"open": "yes"})
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="alerts-')
    header, *rows = csv.reader(answer.getvalue().decode().splitlines())
    local = "2026-11-22 13:00:00+01:00"
    raised, taken = (moment.astimezone(UTC) for moment in (NOW, at(30)))
    assert rows == [
        [
            *(str(item.pk), "Charger fault", "warning", "CP-mine", "mine"),
            *(f"'{text}", "'@sum", f"{raised:%Y-%m-%d %H:%M:%S}", local),
            *(f"{raised:%Y-%m-%d %H:%M:%S}", "", f"{taken:%Y-%m-%d %H:%M:%S}", "'+anna"),
        ]
    ]
    assert len(header) == len(rows[0])
    selected = {"action": "export_selected", "_selected_action": [item.pk]}
    assert "HYPERLINK" in browser_of_root.post(ALERTS, selected).getvalue().decode()
