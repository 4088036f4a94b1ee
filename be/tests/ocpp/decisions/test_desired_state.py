"""Chargers are kept as their templates say, and asked once after a boot; never in a loop."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.accounts.models import Account
from levity.ocpp.commands import lifecycle, queue
from levity.ocpp.deciding import NotAllowed
from levity.ocpp.decisions.configuration_templates import (
    BadTemplate,
    apply_now,
    assign,
    save_template,
    unassign,
)
from levity.ocpp.decisions.desired_state import look_after
from levity.ocpp.models import (
    AuditEntry,
    ChargePoint,
    Command,
    ConfigurationKey,
    ConfigurationState,
    ConfigurationTemplate,
    Site,
    TemplateAssignment,
)
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at

pytestmark = pytest.mark.django_db

ANSWER_AFTER = timedelta(seconds=1)


class Box:
    """A charger with a configuration, which answers what it is asked."""

    def __init__(self, ground: "Ground", identity: str, **keys: str) -> None:
        self.ground, self.keys = ground, keys
        self.charger = Charger(identity)
        self.readonly: set[str] = set()
        self.says: dict[str, str] = {}
        """What it answers to a change of a key, if it is not Accepted."""
        self.restarts_on: str = ""
        self.heard: list[Any] = []

    def boots(self, **more: str) -> None:
        self.charger = self.charger.again()
        self.charger.now = self.ground.seconds
        self.ground.site.connect(self.charger)
        said = {"chargePointVendor": "Vendor", "chargePointModel": "Model", **more}
        self.ground.site.take(self.charger.calls("BootNotification", said))
        self.ground.boxes[self.charger.connection] = self

    def hears(self, text: str) -> None:
        _, unique_id, action, payload = json.loads(text)
        self.heard.append((action, payload.get("key"), payload.get("value")))
        self.charger.now = self.ground.seconds
        if self.restarts_on and self.restarts_on in json.dumps(payload):
            self.ground.site.take(self.charger.leaves())
            return
        self.ground.site.take(self.charger.answers(unique_id, self.answer(action, payload)))

    def answer(self, action: str, payload: Any) -> Any:
        if action == "GetConfiguration":
            asked = payload.get("key") or list(self.keys)
            return {
                "configurationKey": [
                    {"key": key, "value": self.keys[key], "readonly": key in self.readonly}
                    for key in asked
                    if key in self.keys
                ],
                "unknownKey": [key for key in asked if key not in self.keys],
            }
        if action[0] != "C":
            return {"status": "Accepted"}
        status = self.says.get(payload["key"], "Accepted")
        if status == "Accepted":
            self.keys[payload["key"]] = payload["value"]
        return {"status": status}

    @property
    def changes(self) -> list[tuple[str, str]]:
        return [(key, value) for action, key, value in self.heard if action[0] == "C"]

    @property
    def reads(self) -> int:
        return sum(action[0] == "G" for action, _, _ in self.heard)

    @property
    def state(self) -> ConfigurationState:
        return ConfigurationState.objects.get(charge_point__identity=self.charger.identity)


class Ground:
    """The time, and the chargers that hear of it."""

    def __init__(self) -> None:
        self.site, self.seconds = CentralSystem(), 0.0
        self.boxes: dict[str, Box] = {}
        self.beats = False

    @property
    def now(self) -> datetime:
        return at(self.seconds)

    def box(self, identity: str = "CP1", **keys: str) -> Box:
        found = Box(self, identity, **keys)
        found.boots()
        return found

    def wait(self, seconds: float) -> None:
        """With a worker that looks every five seconds; over an hour, every minute will do, and
        over many, every five; over days, every half."""
        end = self.seconds + seconds
        step = 5 if seconds <= 600 else 60 if seconds <= 3600 else 300 if seconds < 86_400 else 1800
        while self.seconds < end:
            self.seconds += step - self.seconds % step
            if self.beats and self.seconds % 60 == 35:
                for box in {id(box): box for box in self.boxes.values()}.values():
                    box.charger.now = self.seconds
                    self.site.take(box.charger.calls("Heartbeat"))
            look_after(self.now, is_minute=self.seconds % 60 == 0)
            lifecycle.give_up(self.now)
            self.send()

    def send(self) -> None:
        while True:
            sent: list[Send] = []

            def take(reply_to: str, reply: Reply, sent: list[Send] = sent) -> bool:
                sent.extend(item for item in reply.commands if isinstance(item, Send))
                return True

            lifecycle.dispatch(self.now, take)
            for item in sent:
                if box := self.boxes.get(item.connection):
                    box.hears(item.text)
            if not sent:
                return


@pytest.fixture
def ground(settings: Any) -> Ground:
    settings.OCPP_READ_CONFIGURATION = False
    return Ground()


def template(values: dict[str, str], name: str = "Usual", **more: str) -> ConfigurationTemplate:
    return save_template(ConfigurationTemplate(name=name, **more), None, values)


WANTED = {"HeartbeatInterval": "60"}


def test_a_template_that_nobody_has_assigned_changes_nothing(ground: Ground) -> None:
    template(WANTED)
    box = ground.box(HeartbeatInterval="300")
    ground.wait(600)
    assert box.heard == []


def test_a_charger_is_read_changed_and_read_back(ground: Ground) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    ground.wait(300)
    assert box.heard == [
        ("GetConfiguration", ["HeartbeatInterval"], None),
        ("ChangeConfiguration", "HeartbeatInterval", "60"),
        ("GetConfiguration", ["HeartbeatInterval"], None),
    ]
    assert (box.state.gave_up, box.state.differing) == ("", 0)
    assert box.state.in_step_at is not None
    ground.wait(3600)
    assert len(box.heard) == 3


def test_one_that_is_as_it_should_be_is_only_read(ground: Ground) -> None:
    assign(template({"HeartbeatInterval": "60", "LocalPreAuthorize": "true"}), None)
    box = ground.box(HeartbeatInterval="60", LocalPreAuthorize="True")
    ground.wait(300)
    assert (box.reads, box.changes) == (1, [])


def test_it_is_applied_again_after_a_boot(ground: Ground) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    ground.wait(600)
    # Back from the factory.
    box.keys["HeartbeatInterval"] = "300"
    box.boots()
    ground.wait(300)
    assert box.keys["HeartbeatInterval"] == "60"
    assert box.changes == [("HeartbeatInterval", "60")] * 2


@pytest.mark.slow
@pytest.mark.parametrize("status", ["Rejected", "NotSupported"])
def test_what_is_refused_is_not_asked_again_until_the_template_changes(
    ground: Ground, status: str
) -> None:
    usual = template(WANTED)
    assign(usual, None)
    box = ground.box(HeartbeatInterval="300")
    box.says["HeartbeatInterval"] = status
    for _ in range(5):
        box.boots()
        ground.wait(600)
    assert box.changes == [("HeartbeatInterval", "60")]
    assert status in box.state.gave_up
    assert box.state.differing == 1
    save_template(usual, None, {"HeartbeatInterval": "90"})
    ground.wait(600)
    assert box.changes == [("HeartbeatInterval", "60"), ("HeartbeatInterval", "90")]
    apply_now(ChargePoint.objects.all(), None, now=ground.now)
    ground.wait(600)
    assert len(box.changes) == 3


def test_a_key_that_the_charger_does_not_have_is_not_sent(ground: Ground) -> None:
    assign(template({**WANTED, "NoSuchKey": "1"}), None)
    box = ground.box(HeartbeatInterval="300")
    ground.wait(300)
    assert box.changes == [("HeartbeatInterval", "60")]
    assert box.state.gave_up == "NoSuchKey: the charger has no such key"


def test_a_key_that_is_read_only_is_not_sent(ground: Ground) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    box.readonly.add("HeartbeatInterval")
    ground.wait(300)
    assert box.changes == []
    assert "read-only" in box.state.gave_up


@pytest.mark.slow
def test_one_that_accepts_and_changes_nothing_is_given_up(ground: Ground) -> None:
    """Three tries after a boot, six a day, with longer and longer waits; and it says why."""
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    box.says["HeartbeatInterval"] = "Lies"
    box.answer = lambda action, payload: (  # type: ignore[method-assign]
        {"status": "Accepted"} if action[0] == "C" else Box.answer(box, action, payload)
    )
    ground.wait(6 * 3600)
    assert len(box.changes) == 3
    assert "3 tries since it booted: HeartbeatInterval is still not as wanted" in box.state.gave_up
    for _ in range(10):
        box.boots()
        ground.wait(3 * 3600 // 2)
    # Two days at most, so twelve.
    assert len(box.changes) <= 12
    assert box.state.next_at is None or box.state.tries_day <= 6


@pytest.mark.slow
def test_one_that_restarts_when_it_is_read_is_not_probed_again(ground: Ground) -> None:
    """ABB Terra AC up to 1.8.21 (lb#1275), whatever the profile says: no loop of boots."""
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    box.restarts_on = "HeartbeatInterval"
    for _ in range(10):
        ground.wait(180)
        box.boots()
    assert box.reads == 1
    assert "restarted when it was read" in box.state.gave_up
    ground.wait(2 * 86_400)
    assert box.reads == 1


def test_keys_that_restart_this_make_are_left_to_a_person(ground: Ground) -> None:
    assign(template({**WANTED, "MeterValuesSampledData": "SoC"}), None)
    box = ground.box(HeartbeatInterval="300", MeterValuesSampledData="Voltage")
    box.boots(chargePointVendor="ABB", chargePointModel="Terra AC")
    ground.wait(300)
    assert box.changes == [("HeartbeatInterval", "60")]
    assert not [item for item in box.heard if "MeterValuesSampledData" in str(item)]
    assert "known to cause trouble at this make" in box.state.gave_up


def test_a_make_that_must_not_be_read_is_only_written_to(ground: Ground) -> None:
    """Grizzl-E 5.x answers with half a frame and restarts."""
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    box.boots(chargePointVendor="United Chargers", chargePointModel="GRS")
    ground.wait(300)
    box.boots(chargePointVendor="United Chargers", chargePointModel="GRS")
    ground.wait(300)
    assert (box.reads, box.changes) == (0, [("HeartbeatInterval", "60")])


def test_a_change_that_needs_a_reboot_waits_for_it(ground: Ground) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    box.says["HeartbeatInterval"] = "RebootRequired"
    ground.wait(600)
    assert box.changes == [("HeartbeatInterval", "60")]
    assert "after a reboot" in box.state.gave_up
    box.keys["HeartbeatInterval"] = "60"
    box.boots()
    ground.wait(300)
    assert len(box.changes) == 1
    assert box.state.gave_up == ""


@pytest.mark.slow
def test_nothing_goes_out_before_a_start_that_waits_or_while_a_car_has_just_come(
    ground: Ground,
) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    row = ChargePoint.objects.get()
    start = queue(
        row, "RemoteStartTransaction", {"idTag": "A"}, source="test", delay=timedelta(hours=9)
    )
    ground.wait(300)
    assert box.heard == []
    start.delete()
    box.charger.now = ground.seconds
    row.connectors.create(number=1, status="Preparing")
    ground.wait(300)
    assert box.heard == []
    row.connectors.update(status="Available")
    ground.wait(60)
    assert box.reads


def test_the_nearer_template_wins(ground: Ground) -> None:
    place = Site.objects.create(name="Here")
    for_all = template({"HeartbeatInterval": "60", "LocalPreAuthorize": "true"}, "All")
    for_site = template({"HeartbeatInterval": "70", "BlinkRepeat": "2"}, "Site")
    for_one = template({"HeartbeatInterval": "80"}, "One")
    box = ground.box(HeartbeatInterval="300", LocalPreAuthorize="false", BlinkRepeat="1")
    ChargePoint.objects.update(site=place)
    assign(for_all, None)
    assign(for_site, None, site=place)
    assign(for_one, None, charge_point=ChargePoint.objects.get())
    ground.wait(300)
    assert box.keys == {"HeartbeatInterval": "80", "LocalPreAuthorize": "true", "BlinkRepeat": "2"}


def test_a_template_for_a_make_leaves_the_others_alone(ground: Ground) -> None:
    assign(template(WANTED, vendor="ABB", model="Terra.*", firmware="1\\.8"), None)
    box, abb = ground.box("CP1", HeartbeatInterval="300"), ground.box("A", HeartbeatInterval="300")
    abb.boots(chargePointVendor="ABB", chargePointModel="Terra AC", firmwareVersion="1.8.32")
    ground.wait(300)
    assert (box.changes, abb.changes) == ([], [("HeartbeatInterval", "60")])


def test_an_assignment_that_is_taken_back_ends_it(ground: Ground) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="60")
    ground.wait(300)
    unassign(TemplateAssignment.objects.get(), None)
    box.keys["HeartbeatInterval"] = "300"
    box.boots()
    ground.wait(300)
    assert (box.reads, box.changes) == (1, [])


def test_a_charger_that_is_away_gets_it_when_it_is_back(ground: Ground) -> None:
    assign(template(WANTED), None)
    box = ground.box(HeartbeatInterval="300")
    ground.wait(15)
    ground.site.take(box.charger.leaves())
    ground.wait(600)
    assert box.heard == []
    box.boots()
    ground.wait(600)
    assert box.keys["HeartbeatInterval"] == "60"


def test_three_hundred_chargers_take_as_many_statements_as_thirty(ground: Ground) -> None:
    """And each has one Call in flight: the queue sees to that."""

    def statements(first: int, last: int) -> int:
        ChargePoint.objects.bulk_create(
            ChargePoint(
                identity=f"B{number}",
                connection=Charger("X").connection,
                booted_at=at(),
                connected_at=at(),
            )
            for number in range(first, last)
        )
        with CaptureQueriesContext(connection) as captured:
            look_after(at(600), is_minute=True)
            look_after(at(605), is_minute=False)
        return len(captured)

    assign(template(WANTED), None)
    few = statements(0, 30)
    assert Command.objects.count() == 30
    many = statements(30, 330)
    look_after(at(610), is_minute=False)
    assert Command.objects.count() == 330
    assert many <= few + 4


# --- once after the first boot ----------------------------------------


@pytest.fixture
def asking(settings: Any) -> Ground:
    settings.OCPP_READ_CONFIGURATION = True
    ground = Ground()
    ground.beats = True
    return ground


def test_a_new_charger_is_asked_once_for_the_keys_that_matter(asking: Ground) -> None:
    box = asking.box(HeartbeatInterval="300", NumberOfConnectors="1")
    asking.wait(25)
    assert box.heard == []
    asking.wait(600)
    [(action, keys, _)] = box.heard
    assert action == "GetConfiguration"
    assert {"MeterValuesSampledData", "TransactionMessageAttempts"} <= set(keys)
    assert ConfigurationKey.objects.get(name="heartbeatinterval").value == "300"
    for _ in range(3):
        box.boots()
        asking.wait(600)
    assert len(box.heard) == 1


def test_one_that_says_nothing_after_its_boot_is_left_in_peace(asking: Ground) -> None:
    """What ends its line in silence is learned from that silence."""
    asking.beats = False
    box = asking.box()
    asking.wait(600)
    assert box.heard == []


def test_it_is_asked_again_with_new_firmware(asking: Ground) -> None:
    box = asking.box(HeartbeatInterval="300")
    asking.wait(300)
    box.boots(firmwareVersion="2")
    asking.wait(300)
    assert len(box.heard) == 2


def test_a_make_that_must_not_be_read_is_not_asked(asking: Ground) -> None:
    box = asking.box()
    box.boots(chargePointVendor="United Chargers", chargePointModel="GRS")
    asking.wait(600)
    assert box.heard == []


def test_one_that_is_not_accepted_is_not_asked(asking: Ground, settings: Any) -> None:
    settings.OCPP_UNKNOWN_CHARGE_POINTS = "pending"
    box = asking.box()
    asking.wait(600)
    assert box.heard == []


def test_nobody_is_asked_where_the_setting_says_so(ground: Ground) -> None:
    box = ground.box()
    ground.wait(600)
    assert box.heard == []


def test_it_goes_behind_a_start(asking: Ground) -> None:
    """A car that comes in the very second at which it is asked is started first."""
    box = asking.box()
    asking.wait(55)
    asking.seconds = 60
    look_after(asking.now, is_minute=True)
    queue(ChargePoint.objects.get(), "RemoteStartTransaction", {"idTag": "A"}, source="test")
    Command.objects.filter(action="RemoteStartTransaction").update(not_before=asking.now)
    asking.send()
    assert [action for action, _, _ in box.heard] == ["RemoteStartTransaction", "GetConfiguration"]


# --- what a person may decide ----------------------------------------


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "at least one key"),
        ({"AuthorizationKey": "00" * 20}, "secret"),
        ({"WifiPassword": "x"}, "secret"),
        ({"SecurityProfile": "2"}, "no template has it"),
        ({"NumberOfConnectors": "2"}, "only reports it"),
        ({"HeartbeatInterval": "often"}, "whole number of s"),
        ({"A": "1", "a": "2"}, "there twice"),
        ({f"K{number}": "1" for number in range(101)}, "at most 100 keys"),
    ],
)
def test_what_no_template_can_say(values: dict[str, str], said: str) -> None:
    with pytest.raises(BadTemplate, match=said):
        template(values)


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(BadTemplate, match="vendor"):
        template(WANTED, vendor="(")


def test_who_changed_a_template_is_on_record() -> None:
    anna = get_user_model().objects.create_superuser("anna")
    usual = save_template(ConfigurationTemplate(name="Usual"), anna, WANTED)
    save_template(usual, anna, {"HeartbeatInterval": "90"})
    entries = AuditEntry.objects.order_by("pk").values_list("who_name", "what", "before", "after")
    assert list(entries) == [
        ("anna", "added", None, WANTED),
        ("anna", "changed", WANTED, {"HeartbeatInterval": "90"}),
    ]


def test_somebody_limited_to_a_site_decides_for_that_site_only() -> None:
    here, there = Site.objects.create(name="Here"), Site.objects.create(name="There")
    user = get_user_model().objects.create_superuser("anna")
    user.is_superuser = False
    user.save()
    from django.contrib.auth.models import Permission

    user.user_permissions.set(Permission.objects.filter(codename="change_configurationtemplate"))
    Account.objects.create(user=user, limited=True).sites.set([here])
    user = get_user_model().objects.get()
    usual = template(WANTED)
    for refused in (
        lambda: save_template(usual, user, WANTED),
        lambda: assign(usual, user),
        lambda: assign(usual, user, site=there),
        lambda: assign(
            usual, user, charge_point=ChargePoint.objects.create(identity="T", site=there)
        ),
    ):
        with pytest.raises(NotAllowed):
            refused()
    assert assign(usual, user, site=here)
