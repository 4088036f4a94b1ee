"""Local lists of chargers: sent, in step, behind, refused, given up."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.commands import lifecycle
from levity.ocpp.deciding import NotPossible
from levity.ocpp.decisions.forgetting import forget
from levity.ocpp.decisions.id_tags import block, import_tags
from levity.ocpp.decisions.local_lists import (
    CHECK_AGAIN,
    clear,
    keep_in_step,
    send_full,
    send_now,
    switch,
)
from levity.ocpp.models import (
    AuditEntry,
    ChargePoint,
    Command,
    ConfigurationKey,
    IdTag,
    LocalList,
    Message,
)
from tests.ocpp.charger import CentralSystem
from tests.ocpp.open_line import OpenLine, clock

pytestmark = pytest.mark.django_db
ACCEPTED = {"status": "Accepted"}
LATER = timedelta(seconds=20)
DAY = timedelta(days=1, minutes=1)


class Listed:
    """A charger that keeps a list, played by what it is sent."""

    def __init__(self, line: OpenLine) -> None:
        self.line = line
        self.version = 0
        self.tags: dict[str, dict[str, Any]] = {}
        self.now = clock()
        self.asked: list[str] = []

    @property
    def row(self) -> LocalList:
        """What is known of it."""
        return LocalList.objects.get(charge_point=self.line.row)

    @property
    def state(self) -> tuple[str, int]:
        """And by how much it is behind."""
        return self.row.state, self.row.behind

    def look(self, after: timedelta = LATER) -> list[tuple[str, str, Any]]:
        """The housekeeping looks; the Calls that go out."""
        self.now += after
        self.line.at(self.now)
        keep_in_step(self.now)
        return self.line.sent(self.now)

    def settle(self, rounds: int = 20, after: timedelta = LATER) -> list[str]:
        """Answer as a good charger does until nothing comes; the actions."""
        seen = []
        for _ in range(rounds):
            calls = self.look(after)
            if not calls:
                break
            for unique_id, action, payload in calls:
                seen.append(action)
                answer = self.answer(action, payload)
                self.line.site.take(self.line.charger.answers(unique_id, answer))
        return seen

    def answer(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        """What it says, and does."""
        if action == "GetLocalListVersion":
            return {"listVersion": self.version}
        if action != "SendLocalList":
            return {"configurationKey": [], "unknownKey": payload["key"]}
        full = payload["updateType"] == "Full"
        if not full and payload["listVersion"] <= self.version:
            return {"status": "VersionMismatch"}
        if full:
            self.tags = {}
        for item in payload["localAuthorizationList"]:
            if "idTagInfo" in item:
                self.tags[item["idTag"]] = item["idTagInfo"]
            else:
                self.tags.pop(item["idTag"], None)
        self.version = payload["listVersion"]
        return {"status": "Accepted"}


@pytest.fixture
def listed() -> Listed:
    """CP1, switched on; it takes 2 entries at once."""
    line = OpenLine()
    for name, value in (("SendLocalListMaxLength", "2"), ("LocalAuthListMaxLength", "4")):
        ConfigurationKey.objects.create(
            charge_point=line.row, name=name.lower(), key=name, value=value
        )
    switch(ChargePoint.objects.all(), None, on=True)
    return Listed(line)


def tags(*names: str, **more: Any) -> None:
    for name in names:
        IdTag.objects.create(id_tag=name, **more)
        changed()


def changed() -> None:
    """As the decisions leave it."""
    AuditEntry.objects.create(kind="ocpp.idtag", object_id="1", object_name="x", what="x")


def test_a_new_list_is_sent_in_parts_and_then_kept_in_step(listed: Listed) -> None:
    tags("A", "B", "C")
    assert listed.state == ("behind", 0)
    seen = listed.settle()
    assert seen == ["GetLocalListVersion", "SendLocalList", "SendLocalList"]
    assert sorted(listed.tags) == ["A", "B", "C"]
    assert (listed.version, listed.row.version, listed.state) == (2, 2, ("in_step", 0))
    # Nothing more until something changes.
    assert listed.look() == []
    block(IdTag.objects.filter(id_tag="B"), None)
    assert listed.settle() == ["SendLocalList"]
    assert listed.tags["B"] == {"status": "Blocked"}
    (sent,) = Command.objects.order_by("-id")[:1]
    assert sent.payload["updateType"] == "Differential"
    assert listed.state == ("in_step", 0)


def test_nothing_is_sent_to_chargers_for_which_it_is_off(listed: Listed) -> None:
    tags("A")
    switch(ChargePoint.objects.all(), None, on=False)
    assert listed.look() == []
    assert listed.row.state == "off"


def test_tags_go_with_expiry_and_group_and_those_of_elsewhere_do_not(listed: Listed) -> None:
    group = IdTag.objects.create(id_tag="HOUSE", status="Blocked")
    end = (clock() + timedelta(days=2)).replace(microsecond=0)
    IdTag.objects.create(id_tag="A", expires_at=end)
    IdTag.objects.create(id_tag="B", parent=group)
    IdTag.objects.create(id_tag="OLD", expires_at=clock() - timedelta(days=1))
    IdTag.objects.create(id_tag="WAITS", status="Recorded")
    IdTag.objects.create(id_tag="X" * 21)
    elsewhere = IdTag.objects.create(id_tag="ELSEWHERE")
    elsewhere.charge_points.add(ChargePoint.objects.create(identity="OTHER"))
    changed()
    listed.settle()
    assert {tag: info["status"] for tag, info in listed.tags.items()} == {
        "A": "Accepted",
        "B": "Blocked",
        "HOUSE": "Blocked",
        "OLD": "Expired",
    }
    assert listed.tags["B"]["parentIdTag"] == "HOUSE"
    assert listed.tags["A"]["expiryDate"] == end.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert listed.row.left_out == 1


def test_what_does_not_fit_is_left_out_and_said(listed: Listed) -> None:
    tags("A", "B", status="Blocked")
    tags("C", "D", "E")
    listed.settle()
    assert sorted(listed.tags) == ["A", "C", "D", "E"]
    assert "1 tags are not on it" in listed.row.reason
    IdTag.objects.filter(id_tag="E").delete()
    changed()
    listed.settle()
    assert sorted(listed.tags) == ["A", "B", "C", "D"]


def test_an_import_of_hundreds_is_one_update(listed: Listed) -> None:
    ConfigurationKey.objects.all().update(value="2000")
    listed.settle()
    lines = "\n".join(["id_tag", *(f"T{number:04}" for number in range(300))])
    import_tags(lines.encode(), None)
    AuditEntry.objects.update(at=listed.now)
    # More may follow.
    assert listed.look(timedelta(seconds=1)) == []
    assert listed.settle() == ["SendLocalList"]
    assert (len(listed.tags), listed.state) == (300, ("in_step", 0))


def test_a_version_conflict_is_healed(listed: Listed) -> None:
    tags("A")
    listed.settle()
    # Somebody else has written its list.
    listed.version, listed.tags = 90, {"FOREIGN": {"status": "Accepted"}}
    tags("B")
    listed.settle()
    assert sorted(listed.tags) == ["A", "B"]
    assert listed.state == ("in_step", 0)
    assert listed.row.tries == 0


def test_a_list_that_changed_behind_our_back_is_found_within_a_day(listed: Listed) -> None:
    tags("A")
    listed.settle()
    listed.version, listed.tags = 0, {}
    assert listed.look(CHECK_AGAIN / 2) == []
    listed.settle(after=DAY, rounds=1)
    listed.settle()
    assert sorted(listed.tags) == ["A"]


def test_failures_are_tried_a_few_times_and_say_why(listed: Listed) -> None:
    tags("A")
    listed.answer = lambda action, payload: (  # type: ignore[method-assign]
        {"listVersion": 3} if action == "GetLocalListVersion" else {"status": "Failed"}
    )
    seen = []
    for _ in range(60):
        seen += listed.settle(rounds=1, after=timedelta(hours=1))
    assert seen.count("SendLocalList") == 6
    assert listed.row.state == "failed"
    assert listed.row.reason.startswith("The charger answered Failed")
    assert "Given up after 6 attempts" in listed.row.reason
    # A person tries again.
    del listed.answer  # type: ignore[method-assign]
    send_now(listed.row, None)
    listed.settle()
    assert listed.state == ("in_step", 0)


@pytest.mark.parametrize("answer", [{"status": "NotSupported"}, {"listVersion": -1}])
def test_a_charger_without_lists_is_asked_once(listed: Listed, answer: dict[str, Any]) -> None:
    tags("A")
    listed.answer = lambda action, payload: (  # type: ignore[method-assign]
        answer if "status" in answer or action == "GetLocalListVersion" else ACCEPTED
    )
    if "status" in answer:
        LocalList.objects.update(is_checked=True, version=1)
    assert len(listed.settle()) == 1
    assert listed.row.state == "not_supported"
    assert listed.row.reason.startswith("The charger keeps no local list.")
    tags("B")
    assert listed.look() == []
    assert listed.look(DAY) == []


def test_a_charger_that_knows_no_such_call(listed: Listed) -> None:
    tags("A")
    ((unique_id, _, _),) = listed.look()
    listed.line.site.take(listed.line.charger.refuses(unique_id, "NotImplemented"))
    assert listed.row.state == "not_supported"


def test_no_answer_is_tried_later(listed: Listed) -> None:
    tags("A")
    assert listed.look()
    listed.now += timedelta(minutes=10)
    lifecycle.give_up(listed.now)
    lifecycle.give_up(listed.now + timedelta(minutes=10))
    Command.objects.filter(state="queued").update(state="timed_out")
    assert listed.look(timedelta(seconds=20)) == []
    assert listed.row.reason == "The charger did not answer in time."
    assert listed.look(timedelta(seconds=5)) == []
    listed.settle(after=timedelta(minutes=2))
    assert listed.state == ("in_step", 0)


def test_a_charger_that_is_away_is_behind_and_gets_it_when_it_is_back(listed: Listed) -> None:
    tags("A")
    listed.settle()
    listed.line.site.take(listed.line.charger.leaves())
    tags("B")
    assert listed.look() == []
    assert listed.state == ("behind", 1)
    again = listed.line.charger.again()
    listed.line.charger = again
    listed.line.site.take(again.connects())
    listed.line.site.take(again.boots())
    listed.settle()
    assert sorted(listed.tags) == ["A", "B"]


def test_the_charger_is_asked_once_what_it_takes(listed: Listed) -> None:
    ConfigurationKey.objects.all().delete()
    tags("A")
    assert listed.settle() == ["GetConfiguration", "GetLocalListVersion", "SendLocalList"]
    listed.settle(after=DAY)
    assert Command.objects.filter(action="GetConfiguration").count() == 1


def test_no_tag_is_shown_in_commands_and_messages(listed: Listed) -> None:
    tags("SECRETTAG")
    listed.settle()
    assert "SECRETTAG" in listed.tags
    command = Command.objects.get(action="SendLocalList")
    assert command.payload["localAuthorizationList"] == "1 entries, not shown"
    assert not [row for row in Message.objects.all() if "SECRETTAG" in row.request]


def test_the_whole_list_again_and_cleared(listed: Listed) -> None:
    tags("A")
    listed.settle()
    listed.tags = {}
    send_full(listed.row, None)
    assert listed.settle() == ["GetLocalListVersion", "SendLocalList"]
    assert sorted(listed.tags) == ["A"]
    clear(listed.row, None, source="test")
    ((unique_id, _, payload),) = listed.line.sent(listed.now)
    listed.line.site.take(
        listed.line.charger.answers(unique_id, listed.answer("SendLocalList", payload))
    )
    assert (listed.tags, listed.row.state, listed.row.content) == ({}, "off", "{}")
    with pytest.raises(NotPossible, match="switch that on first"):
        send_now(listed.row, None)


def test_a_list_sent_as_any_other_command_is_noted_and_put_right(listed: Listed) -> None:
    tags("A")
    listed.settle()
    payload = {
        "listVersion": 40,
        "updateType": "Full",
        "localAuthorizationList": [{"idTag": "X", "idTagInfo": {"status": "Accepted"}}],
    }
    lifecycle.queue(listed.line.row, "SendLocalList", payload, source="test")
    ((unique_id, _, sent),) = listed.line.sent(listed.now)
    answer = listed.answer("SendLocalList", sent)
    listed.line.site.take(listed.line.charger.answers(unique_id, answer))
    assert (listed.row.version, listed.row.state) == (40, "behind")
    listed.settle()
    assert sorted(listed.tags) == ["A"]


def test_a_forgotten_tag_is_in_no_list(listed: Listed) -> None:
    tags("FORGETME", "B")
    listed.settle()
    assert "FORGETME" in listed.row.content
    forget("FORGETME", None)
    assert "FORGETME" not in listed.row.content
    listed.settle()
    assert sorted(listed.tags) == ["B"]


def test_the_statements_do_not_grow_with_the_chargers() -> None:
    def statements(count: int) -> tuple[int, int]:
        LocalList.objects.all().delete()
        site = CentralSystem()
        lines = [OpenLine(f"N{count}-{number}", site) for number in range(count)]
        mine = ChargePoint.objects.filter(identity__startswith=f"N{count}-")
        switch(mine, None, on=True)
        LocalList.objects.update(is_checked=True, version=1, is_known=False)
        tags(f"T{count}")
        now = clock() + LATER
        with CaptureQueriesContext(connection) as sending:
            assert keep_in_step(now) == count
        sent = {row.charge_point_id: row.unique_id for row in Command.objects.all()}
        for row in mine:
            Command.objects.filter(charge_point=row).update(state="sent", connection=row.connection)
        events = [line.charger.answers(sent[line.row.pk], ACCEPTED) for line in lines]
        with CaptureQueriesContext(connection) as taking:
            site.take(*events)
        assert LocalList.objects.filter(version=2, is_known=True).count() == count
        return len(sending), len(taking)

    assert statements(8) == statements(2)


def test_a_look_in_vain_is_one_statement(listed: Listed) -> None:
    tags("A")
    listed.settle()
    with CaptureQueriesContext(connection) as captured:
        assert keep_in_step(listed.now) == 0
    assert len(captured) == 1
