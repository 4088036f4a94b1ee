"""Webhooks: signed as the standard says, in order, at least once, for days; and safe to offer."""

import base64
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from standardwebhooks.webhooks import Webhook as Standard
from standardwebhooks.webhooks import WebhookVerificationError

from levity.accounts.models import Account
from levity.integrations import webhooks
from levity.integrations.deliveries import GIVEN_UP, fan_out, forget_deliveries
from levity.integrations.models import Delivery, Event, Webhook
from levity.integrations.outbox import recorder
from levity.integrations.runner import Runner, send_all
from levity.integrations.signing import key_of, new_secret, signed_headers
from levity.integrations.webhooks import Wishes
from levity.ocpp.deciding import NotAllowed, NotPossible
from levity.ocpp.events import Happened
from levity.ocpp.models import AuditEntry, Site
from levity.posting import Answer, BadWebhook, Unreached, post
from tests.monitoring.receivers import WebServer, running
from tests.ocpp.charger import NOW, at, wire

pytestmark = pytest.mark.django_db
URL = "https://hook.example/events"


class Receiver:
    """Answers as it is told, and keeps what it took."""

    def __init__(self) -> None:
        self.taken: list[tuple[dict[str, str], bytes]] = []
        self.answers: dict[str, int] = {}
        """By charge point, where it is not 200."""
        self.status = 200
        self.is_down = False
        self.retry_after = ""

    def __call__(self, url: str, body: bytes, headers: dict[str, str]) -> Answer:
        if self.is_down:
            raise Unreached("hook.example: connection refused")
        content = json.loads(body)
        status = self.answers.get(content["charge_point"], self.status)
        if status == 200:
            self.taken.append((headers, body))
        return Answer(status, "as told", self.retry_after)

    @property
    def numbers(self) -> list[tuple[str, int]]:
        told = [json.loads(body) for _, body in self.taken]
        return [(item["charge_point"], item["data"]["n"]) for item in told]


@pytest.fixture
def receiver() -> Receiver:
    return Receiver()


@pytest.fixture
def hook(settings: Any) -> Webhook:
    settings.OCPP_EVENT_RECORDER = "levity.integrations.outbox.recorder"
    return webhooks.create(Wishes("theirs", URL), None)[0]


def happen(identity: str, *numbers: int, kind: str = "charger.booted", **more: Any) -> None:
    charge_point = ord(identity[-1])
    recorder.record(
        [Happened(kind, NOW, charge_point, identity, {"n": n}, "TAG", **more) for n in numbers]
    )


def newest() -> int:
    return Event.objects.order_by("-id").values_list("id", flat=True).first() or 0


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        return self.now


def deliver(hook: Webhook, receiver: Receiver, now: datetime = NOW) -> int:
    hook.refresh_from_db()
    while fan_out(hook, newest(), now):
        pass
    if hook.paused_until and hook.paused_until > now:
        return 0
    return send_all(hook.pk, threading.Event(), lambda: now, receiver)


def test_the_standards_own_library_verifies_what_is_sent(receiver: Receiver) -> None:
    hook, secret = webhooks.create(Wishes("theirs", URL), None)
    happen("CP1", 1)
    deliver(hook, receiver)
    [(headers, body)] = receiver.taken
    told = Standard(secret).verify(body, headers)
    assert told["type"] == "charger.booted"
    assert told["id"] == headers["webhook-id"]
    assert told["timestamp"] == wire()
    assert len(body) < 20_000
    with pytest.raises(WebhookVerificationError):
        Standard(secret).verify(body + b" ", headers)
    with pytest.raises(WebhookVerificationError):
        Standard(new_secret()).verify(body, headers)


def test_after_a_rotation_both_secrets_verify_for_a_day(receiver: Receiver) -> None:
    hook, old = webhooks.create(Wishes("theirs", URL), None)
    new = webhooks.rotate(hook, None, NOW)
    happen("CP1", 1)
    deliver(hook, receiver)
    [(headers, body)] = receiver.taken
    for secret in (old, new):
        Standard(secret).verify(body, headers)
    happen("CP1", 2)
    deliver(hook, receiver, NOW + timedelta(days=1))
    headers, body = receiver.taken[-1]
    Standard(new).verify(body, headers)
    with pytest.raises(WebhookVerificationError):
        Standard(old).verify(body, headers)


@pytest.mark.parametrize(
    "secret",
    ["", "whsec_", "secret", "whsec_!!!!", "whsec_" + base64.b64encode(b"short").decode()],
)
def test_a_secret_that_the_standard_does_not_allow_signs_nothing(secret: str) -> None:
    with pytest.raises(ValueError, match="a secret is whsec_"):
        signed_headers((secret,), "1", 1, b"")
    assert 24 <= len(key_of(new_secret())) <= 64


def test_the_secret_is_sealed_and_the_audit_has_neither_it_nor_the_address() -> None:
    hook, secret = webhooks.create(Wishes("theirs", f"{URL}?token=t0ken"), None)
    assert secret not in str(Webhook.objects.values().get())
    written = str(list(AuditEntry.objects.values()))
    assert "webhook created" in written
    assert secret not in written
    assert "t0ken" not in written
    assert hook.secrets(NOW) == [secret]


def test_events_of_one_charger_come_in_order_and_one_that_is_refused_holds_up_only_its_own(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.answers["CP1"] = 400
    happen("CP1", 1, 2)
    happen("CP2", 1, 2)
    happen("CP1", 3)
    deliver(hook, receiver)
    assert receiver.numbers == [("CP2", 1), ("CP2", 2)]
    receiver.answers.clear()
    deliver(hook, receiver, NOW + timedelta(hours=1))
    assert receiver.numbers[2:] == [("CP1", 1), ("CP1", 2), ("CP1", 3)]


def test_a_receiver_that_was_down_for_a_day_gets_every_event_in_order(
    hook: Webhook, receiver: Receiver
) -> None:
    """None twice, and each with the id that it has in the outbox."""
    receiver.is_down = True
    clock = Clock()
    for hour in range(24):
        happen("CP1", hour)
        happen("CP2", hour)
        for _ in range(6):
            deliver(hook, receiver, clock.now)
            clock.now += timedelta(minutes=10)
    receiver.is_down = False
    clock.now += timedelta(hours=1)
    while deliver(hook, receiver, clock.now):
        pass
    for identity in ("CP1", "CP2"):
        assert [n for name, n in receiver.numbers if name == identity] == list(range(24))
    ids = [headers["webhook-id"] for headers, _ in receiver.taken]
    assert len(set(ids)) == 48
    assert not Delivery.objects.exclude(state="sent").exists()


def test_a_receiver_that_answers_500_for_a_day_gets_every_event(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.status = 502
    clock = Clock()
    happen("CP1", *range(5))
    for _ in range(24 * 6):
        deliver(hook, receiver, clock.now)
        clock.now += timedelta(minutes=10)
    receiver.status = 200
    clock.now += timedelta(days=1)
    deliver(hook, receiver, clock.now)
    assert receiver.numbers == [("CP1", n) for n in range(5)]


def test_an_event_that_is_refused_for_days_is_given_up_and_the_next_one_goes(
    hook: Webhook, receiver: Receiver
) -> None:
    happen("CP1", 1)
    receiver.status = 400
    deliver(hook, receiver)
    happen("CP1", 2)
    deliver(hook, receiver, NOW + GIVEN_UP)
    assert Delivery.objects.order_by("event").first().state == "dead"  # type: ignore[union-attr]
    receiver.status = 200
    deliver(hook, receiver, NOW + GIVEN_UP + timedelta(days=1))
    assert receiver.numbers == [("CP1", 2)]
    dead = Delivery.objects.filter(state="dead")
    assert webhooks.replay(dead, None) == 1
    hook.refresh_from_db()
    deliver(hook, receiver, timezone.now() + timedelta(days=1))
    assert receiver.numbers == [("CP1", 2), ("CP1", 1)]


def test_a_receiver_that_is_down_is_left_alone_with_pauses_that_grow(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.is_down = True
    happen("CP1", 1)
    happen("CP2", 1)
    pauses = []
    now = NOW
    for _ in range(8):
        deliver(hook, receiver, now)
        hook.refresh_from_db()
        assert hook.paused_until is not None
        pauses.append((hook.paused_until - now).total_seconds())
        now = hook.paused_until
    assert Delivery.objects.get(identity="CP2").attempts == 0, "it was not tried in vain"
    for pause, usual in zip(pauses, (2, 5, 15, 60, 180, 600, 600, 600), strict=True):
        assert 0.8 * usual <= pause <= 1.2 * usual


@pytest.mark.parametrize(
    ("wish", "seconds"),
    [("120", 120), (format_datetime(at(300), usegmt=True), 300), ("9" * 40, 86_400)],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_busy_receiver_says_when_it_wants_to_be_asked_again(
    hook: Webhook, receiver: Receiver, wish: str, seconds: int, status: int
) -> None:
    receiver.status, receiver.retry_after = status, wish
    happen("CP1", 1)
    deliver(hook, receiver)
    hook.refresh_from_db()
    assert hook.paused_until == NOW + timedelta(seconds=seconds)


def test_a_receiver_that_says_gone_is_switched_off(hook: Webhook, receiver: Receiver) -> None:
    receiver.status = 410
    happen("CP1", 1)
    deliver(hook, receiver)
    hook.refresh_from_db()
    assert not hook.enabled
    assert "410" in hook.error
    assert recorder.wanted() == frozenset()


def test_types_and_sites_are_chosen(receiver: Receiver) -> None:
    garage, street = Site.objects.create(name="Garage"), Site.objects.create(name="Street")
    wishes = Wishes("theirs", URL, types=("charger.booted",), sites=(garage,))
    hook, _ = webhooks.create(wishes, None)
    assert recorder.wanted() == {"charger.booted"}
    happen("CP1", 1, site_id=garage.pk)
    happen("CP2", 2, site_id=street.pk)
    happen("CP1", 3, kind="charger.connected", site_id=garage.pk)
    deliver(hook, receiver)
    assert receiver.numbers == [("CP1", 1)]
    assert json.loads(receiver.taken[0][1])["site"] == "Garage"


def test_only_a_receiver_that_may_see_tags_sees_them(receiver: Receiver) -> None:
    blind, _ = webhooks.create(Wishes("blind", URL), None)
    seeing, _ = webhooks.create(Wishes("seeing", URL, may_see_tags=True), None)
    happen("CP1", 1)
    deliver(blind, receiver)
    deliver(seeing, receiver)
    assert [b"TAG" in body for _, body in receiver.taken] == [False, True]


def test_a_new_webhook_gets_what_happens_from_now_on(receiver: Receiver) -> None:
    happen("CP1", 1)
    hook, _ = webhooks.create(Wishes("theirs", URL), None)
    happen("CP1", 2)
    deliver(hook, receiver)
    assert receiver.numbers == [("CP1", 2)]
    assert webhooks.replay_range(hook, NOW, NOW + timedelta(hours=1), None) == 2
    deliver(hook, receiver, timezone.now())
    assert receiver.numbers == [("CP1", 2), ("CP1", 1), ("CP1", 2)]
    ids = [headers["webhook-id"] for headers, _ in receiver.taken]
    assert ids[0] == ids[2], "a repetition has the same id"


def test_an_event_too_large_for_the_standard_is_cut(hook: Webhook, receiver: Receiver) -> None:
    recorder.record([Happened("charger.booted", NOW, 1, "CP1", {"text": "x" * 30_000})])
    deliver(hook, receiver)
    [(_, body)] = receiver.taken
    assert json.loads(body)["data"] == {"truncated": True}


def test_events_deleted_before_they_were_delivered_hold_up_nothing(
    hook: Webhook, receiver: Receiver
) -> None:
    receiver.is_down = True
    happen("CP1", 1)
    deliver(hook, receiver)
    Event.objects.all().delete()
    happen("CP1", 2)
    receiver.is_down = False
    deliver(hook, receiver, NOW + timedelta(hours=1))
    assert receiver.numbers == [("CP1", 2)]
    [dead] = Delivery.objects.filter(state="dead")
    assert dead.error == "it was deleted before it could be delivered"


def test_the_log_forgets_what_was_sent_two_weeks_ago(hook: Webhook, receiver: Receiver) -> None:
    happen("CP1", 1)
    deliver(hook, receiver)
    assert forget_deliveries(NOW + timedelta(days=13)) == 0
    assert forget_deliveries(NOW + timedelta(days=15)) == 1


@pytest.mark.parametrize(
    ("wishes", "why"),
    [
        (Wishes("", URL), "name"),
        (Wishes("x", "ftp://hook.example/"), "https"),
        (Wishes("x", "https://user:pw@hook.example/"), "no user or password"),
        (Wishes("x", URL, types=("session.began",)), "session.began"),
    ],
)
def test_what_can_not_be_is_refused_with_a_reason(wishes: Wishes, why: str) -> None:
    with pytest.raises(NotPossible, match=why):
        webhooks.create(wishes, None)
    assert not Webhook.objects.exists()


def test_who_sees_some_sites_only_makes_no_webhook() -> None:
    user = User.objects.create_user("limited", password="a long enough pass phrase")
    Account.objects.create(user=user, limited=True)
    with pytest.raises(NotAllowed):
        webhooks.create(Wishes("theirs", URL), user)


@pytest.fixture
def web_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    monkeypatch.setenv("LEVITY_WEBHOOK_ALLOWED", "127.0.0.1")
    with running(WebServer()) as server:
        yield server


def test_a_redirect_is_an_answer_that_says_no(hook: Webhook, web_server: WebServer) -> None:
    web_server.status = 302
    answer = post(web_server.url, b"{}", {})
    assert (answer.status, answer.is_taken) == (302, False)
    assert len(web_server.posts) == 1


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "169.254.169.254",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[64:ff9b::a9fe:a9fe]",
        "[2002:7f00:1::]",
    ],
)
def test_this_machine_and_clouds_secrets_are_not_called(host: str) -> None:
    with pytest.raises(BadWebhook, match="not called"):
        post(f"http://{host}:1/", b"{}", {})


class Dripping:
    """Takes the request and answers a byte at a time, for ever."""

    def __init__(self) -> None:
        import socket

        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}/"
        self.over = threading.Event()
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self) -> None:
        line, _ = self.socket.accept()
        line.recv(65536)
        line.sendall(b"HTTP/1.1 200 OK\r\n")
        try:
            while not self.over.wait(0.02):
                line.sendall(b"X-More: yes\r\n")
        except OSError:
            pass
        line.close()


def test_an_answer_that_drips_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEVITY_WEBHOOK_ALLOWED", "127.0.0.1")
    server = Dripping()
    try:
        with pytest.raises(Unreached):
            post(server.url, b"{}", {}, longest=0.2)
    finally:
        server.over.set()
        server.thread.join()
        server.socket.close()


@pytest.mark.django_db(transaction=True)
def test_one_slow_receiver_delays_no_other() -> None:
    """The runner serves each in a thread of its own."""
    release, quick = threading.Event(), threading.Event()

    def send(url: str, body: bytes, headers: Any) -> Answer:
        if "slow" in url:
            assert release.wait(60)
        else:
            quick.set()
        return Answer(200, "OK")

    webhooks.create(Wishes("a slow one", "https://slow.example/"), None)
    webhooks.create(Wishes("quick", "https://quick.example/"), None)
    happen("CP1", 1)
    runner = Runner(send=send)
    try:
        runner.look(timezone.now())
        for _ in range(3):
            runner.look(timezone.now())
        assert quick.wait(60)
        assert Delivery.objects.filter(webhook__name="a slow one", state="waiting").exists()
    finally:
        release.set()
        runner.stopping.set()
        for thread in runner._senders.values():
            thread.join(60)


def test_of_two_processes_one_delivers(hook: Webhook) -> None:
    assert Runner()._has_turn(NOW)
    assert not Runner()._has_turn(NOW)
    assert Runner()._has_turn(NOW + timedelta(minutes=2))


def test_nothing_is_asked_while_nobody_reads(django_assert_num_queries: Any) -> None:
    runner = Runner()
    runner.look(NOW)
    with django_assert_num_queries(0):
        assert runner.look(NOW) == 5.0
