"""AuthorizeIdTags over the whole pipeline: who may charge, and what the books say of it."""

import json
from datetime import timedelta
from typing import Any

import pytest

from levity.ocpp.models import IdTag, Site, Transaction
from levity_ws.rpc.envelope import Batch, Received, Send
from tests.ocpp.ledger_chargers import NOW, Charger, at, books, iso


def tell(charger: Charger, id_tag: str = "tag") -> Any:
    """What Authorize says of this tag."""
    return charger.call("Authorize", {"idTag": id_tag}, at(0))["idTagInfo"]


def rule(charger: Charger, own: str = "", site: str | None = None) -> None:
    """The rule of the charge point, and of its site if it has one."""
    row = charger.row
    row.authorization = own
    row.site = None if site is None else Site.objects.create(name="Home", authorization=site)
    row.save()


@pytest.mark.parametrize(
    ("default", "site", "own", "unknown", "recorded"),
    [
        ("anonymous", None, "", "Accepted", "Accepted"),
        ("known", None, "", "Invalid", "Invalid"),
        ("record", None, "", "Accepted", "Accepted"),
        ("anonymous", "known", "", "Invalid", "Invalid"),
        ("known", "anonymous", "", "Accepted", "Accepted"),
        ("known", "", "", "Invalid", "Invalid"),
        ("anonymous", "known", "anonymous", "Accepted", "Accepted"),
        ("anonymous", "anonymous", "known", "Invalid", "Invalid"),
        ("known", "known", "record", "Accepted", "Accepted"),
    ],
)
def test_the_rule_is_the_charge_points_or_its_sites_or_the_default(
    charger: Charger,
    settings: Any,
    default: str,
    site: str | None,
    own: str,
    unknown: str,
    recorded: str,
) -> None:
    settings.OCPP_AUTHORIZATION = default
    rule(charger, own, site)
    IdTag.objects.create(id_tag="waiting", status="Recorded")
    IdTag.objects.create(id_tag="good")
    IdTag.objects.create(id_tag="bad", status="Blocked")
    said = {tag: tell(charger, tag)["status"] for tag in ("unknown", "waiting", "good", "bad")}
    assert said == {"unknown": unknown, "waiting": recorded, "good": "Accepted", "bad": "Blocked"}
    noted = IdTag.objects.filter(id_tag="unknown").values_list("status", flat=True)
    assert list(noted) == (["Recorded"] if "record" in (own or site or default) else [])


def test_an_unknown_tag_is_noted_once_whatever_its_case(charger: Charger) -> None:
    """D-18"""
    rule(charger, "record")
    for id_tag in ("NewTag", "newtag", "NEWTAG"):
        assert tell(charger, id_tag) == {"status": "Accepted"}
    assert [tag.id_tag for tag in IdTag.objects.all()] == ["NewTag"]


def test_case_does_not_count(charger: Charger) -> None:
    """D-18"""
    IdTag.objects.create(id_tag="AbCd", status="Blocked")
    said = {tag: tell(charger, tag)["status"] for tag in ("abcd", "ABCD", "aBcD", "abcde")}
    assert said == {"abcd": "Blocked", "ABCD": "Blocked", "aBcD": "Blocked", "abcde": "Accepted"}


def test_capitals_beyond_ascii_are_capitals_too(charger: Charger) -> None:
    """SQLite leaves them alone in lower case."""
    group = IdTag.objects.create(id_tag="ÖHLERS", max_transactions=1)
    IdTag.objects.create(id_tag="ÄNNE", status="Blocked")
    IdTag.objects.create(id_tag="MÜLLER", parent=group)
    rule(charger, "record")
    said = {tag: tell(charger, tag)["status"] for tag in ("ÄNNE", "änne", "Änne", "Anne")}
    assert said == {"ÄNNE": "Blocked", "änne": "Blocked", "Änne": "Blocked", "Anne": "Accepted"}
    charger.start(at(1), idTag="MÜLLER")
    assert tell(charger, "öhlers")["status"] == "ConcurrentTx"
    assert tell(charger, "MÜLLER")["status"] == "ConcurrentTx"
    assert [tag.id_tag for tag in IdTag.objects.filter(status="Recorded")] == ["Anne"]


def test_what_a_charger_is_told_of_a_tag(charger: Charger) -> None:
    """Authorize and StartTransaction say the same: status, expiryDate, parentIdTag."""
    group = IdTag.objects.create(id_tag="GROUP-OF-MORE-THAN-20-CHARACTERS")
    later, past = NOW + timedelta(days=1), NOW - timedelta(seconds=1)
    tags = {
        "good": ({"expires_at": later, "parent": group}, "Accepted"),
        "late": ({"expires_at": past}, "Expired"),
        "just": ({"expires_at": NOW}, "Expired"),
        "bad": ({"status": "Blocked", "expires_at": past, "parent": group}, "Blocked"),
        "none": ({"max_transactions": 0}, "ConcurrentTx"),
    }
    for number, (id_tag, (values, status)) in enumerate(tags.items()):
        IdTag.objects.create(id_tag=id_tag, **values)
        wanted = {"status": status}
        if "expires_at" in values:
            wanted["expiryDate"] = iso(values["expires_at"]).replace("Z", ".000Z")
        if "parent" in values:
            wanted["parentIdTag"] = "GROUP-OF-MORE-THAN-2"
        assert tell(charger, id_tag) == wanted
        answer = charger.start(at(0), number, idTag=id_tag, connectorId=number + 1)
        assert answer["idTagInfo"] == wanted
        flags = "" if status == "Accepted" else f"id-tag-{status.lower()}"
        assert books(answer["transactionId"], "state", "flags") == ("active", flags)


def test_a_tag_for_some_charge_points_is_invalid_elsewhere(charger: Charger) -> None:
    other = Charger("CP2", charger.pipeline)
    IdTag.objects.create(id_tag="tag").charge_points.add(other.row)
    assert (tell(charger), tell(other)) == ({"status": "Invalid"}, {"status": "Accepted"})


def test_a_tag_may_have_so_many_sessions_at_once(charger: Charger) -> None:
    IdTag.objects.create(id_tag="TAG", max_transactions=1)
    other = Charger("CP2", charger.pipeline)
    started = charger.started(at(0))
    assert tell(other) == {"status": "ConcurrentTx"}
    refused = other.start(at(1))
    assert refused["idTagInfo"] == {"status": "ConcurrentTx"}
    # 4.8: it is on the books all the same, and the charger stops it.
    other.stop(refused["transactionId"], at(2), 1000, reason="DeAuthorized")
    assert books(refused["transactionId"], "state", "stop_reason", "energy", "flags") == (
        "stopped",
        "DeAuthorized",
        0,
        "id-tag-concurrenttx",
    )
    # The same StartTransaction again is the same session, not a second one.
    assert charger.start(at(0))["idTagInfo"] == {"status": "Accepted"}
    charger.stop(started, at(5), 2000)
    assert tell(other) == {"status": "Accepted"}


def test_a_session_that_ends_by_this_start_does_not_count(charger: Charger) -> None:
    """D-17: its StopTransaction was lost; the next one on the connector closes it."""
    IdTag.objects.create(id_tag="tag", max_transactions=1)
    charger.started(at(0))
    assert charger.start(at(10), 2000)["idTagInfo"] == {"status": "Accepted"}
    assert Transaction.objects.filter(state="active").count() == 1


@pytest.mark.parametrize("own", ["anonymous", "known", "record"])
def test_a_refused_tag_makes_a_transaction_with_a_flag_under_every_rule(
    charger: Charger, own: str
) -> None:
    """OCPP 1.6, 4.8: the answer always carries a transactionId."""
    rule(charger, own)
    IdTag.objects.create(id_tag="tag", status="Blocked")
    answer = charger.start()
    assert answer["idTagInfo"] == {"status": "Blocked"}
    assert books(answer["transactionId"], "state", "flags") == ("active", "id-tag-blocked")


def test_a_refused_session_whose_stop_came_first_keeps_its_flag(charger: Charger) -> None:
    """D-15"""
    IdTag.objects.create(id_tag="tag", status="Blocked")
    charger.stop(-1, at(30), 3000, when=at(31))
    started = charger.started(at(0), when=at(32))
    assert books(started, "state", "flags") == ("stopped", "stop-came-first id-tag-blocked")


def test_a_stop_is_answered_with_the_tag_that_stopped_it(charger: Charger) -> None:
    """A tag of the same group stops what another one started; the charger compares the parents."""
    group = IdTag.objects.create(id_tag="GROUP")
    for id_tag in ("ann", "bob"):
        IdTag.objects.create(id_tag=id_tag, parent=group, max_transactions=1)
    same = {"status": "Accepted", "parentIdTag": "GROUP"}
    started = charger.start(idTag="ann")
    assert started["idTagInfo"] == same
    stopped = charger.stop(started["transactionId"], at(5), 2000, idTag="bob")
    assert stopped == {"idTagInfo": same}
    assert books(started["transactionId"], "id_tag", "stop_id_tag") == ("ann", "bob")


def test_free_charging_needs_no_card_and_notes_no_tag_of_ours(charger: Charger) -> None:
    """The tag with which AutoRemoteStart starts waits for nobody's approval."""
    rule(charger, "record")
    assert charger.start(idTag="anonymous")["idTagInfo"] == {"status": "Accepted"}
    assert charger.start(at(1), idTag="")["idTagInfo"] == {"status": "Accepted"}
    assert IdTag.objects.count() == 0


def household(**values: Any) -> IdTag:
    """A group with two cards, as a co-op has for each flat."""
    group = IdTag.objects.create(id_tag="flat-7", **values)
    for id_tag in ("Ann", "Ben"):
        IdTag.objects.create(id_tag=id_tag, parent=group)
    return group


@pytest.mark.parametrize(
    ("group", "status"),
    [
        ({"status": "Blocked"}, "Blocked"),
        ({"expires_at": NOW}, "Expired"),
        ({"expires_at": NOW + timedelta(days=1)}, "Accepted"),
        # Nobody has looked at it yet: that is no reason to refuse the cards that somebody has.
        ({"status": "Recorded"}, "Accepted"),
    ],
)
@pytest.mark.parametrize("own", ["", "known"])
def test_a_household_that_is_blocked_or_expired_charges_with_none_of_its_cards(
    charger: Charger, own: str, group: dict[str, Any], status: str
) -> None:
    rule(charger, own)
    household(**group)
    assert [tell(charger, tag)["status"] for tag in ("ann", "BEN")] == [status, status]
    answer = charger.start(idTag="Ann")
    assert answer["idTagInfo"]["status"] == status
    flags = "" if status == "Accepted" else f"id-tag-{status.lower()}"
    assert books(answer["transactionId"], "flags") == flags


def test_a_card_is_good_no_longer_than_its_household(charger: Charger) -> None:
    """The earlier of the two is what the charger is told."""
    group = household(expires_at=NOW + timedelta(days=1))
    IdTag.objects.filter(id_tag="Ann").update(expires_at=NOW + timedelta(days=9))
    IdTag.objects.filter(id_tag="Ben").update(expires_at=NOW + timedelta(hours=1))
    said = [tell(charger, tag)["expiryDate"] for tag in ("Ann", "Ben")]
    assert said == ["2026-03-10T12:00:00.000Z", "2026-03-09T13:00:00.000Z"]
    assert group.pk


def test_a_limit_of_the_household_counts_all_of_its_cards(charger: Charger) -> None:
    """At most two cars at once, whoever's card it is; the group's own card counts, too."""
    household(max_transactions=2)
    first = charger.started(at(0), connectorId=1, idTag="Ann")
    charger.started(at(1), connectorId=2, idTag="Ann")
    assert books(first, "flags") == ""
    assert {tag: tell(charger, tag)["status"] for tag in ("Ann", "Ben", "FLAT-7")} == {
        "Ann": "ConcurrentTx",
        "Ben": "ConcurrentTx",
        "FLAT-7": "ConcurrentTx",
    }
    third = charger.start(at(2), connectorId=3, idTag="ben")
    assert third["idTagInfo"] == {"status": "ConcurrentTx", "parentIdTag": "flat-7"}
    assert books(third["transactionId"], "flags") == "id-tag-concurrenttx"
    charger.stop(third["transactionId"], at(3), 2000)
    charger.stop(first, at(3), 2000)
    assert tell(charger, "Ben")["status"] == "Accepted"
    # The household next door has nothing to do with it.
    IdTag.objects.create(id_tag="Cleo", parent=IdTag.objects.create(id_tag="flat-8"))
    assert tell(charger, "Cleo")["status"] == "Accepted"


def test_a_limit_holds_within_one_batch(charger: Charger) -> None:
    """Two cards of a household, at two chargers, in the same moment: the limit is one car."""
    household(max_transactions=1)
    IdTag.objects.create(id_tag="Cleo", max_transactions=1)
    events = []
    for number, tag in enumerate(("Ann", "Ben", "cleo", "CLEO"), start=2):
        one = Charger(f"CP{number}", charger.pipeline)
        said = {"connectorId": 1, "idTag": tag, "timestamp": iso(NOW), "meterStart": 0}
        text = json.dumps([2, "m", "StartTransaction", said])
        events.append(Received(one.identity, one.connection, 9, NOW.timestamp(), text))
    taken = charger.pipeline.take(Batch("edge", "batch", tuple(events)), "replies")
    answers = [json.loads(item.text)[2] for item in taken.reply.commands if isinstance(item, Send)]
    assert [answer["idTagInfo"]["status"] for answer in answers] == [
        "Accepted",
        "ConcurrentTx",
        "Accepted",
        "ConcurrentTx",
    ]


def test_a_cards_own_limit_holds_beside_the_households(charger: Charger) -> None:
    household(max_transactions=5)
    IdTag.objects.filter(id_tag="Ann").update(max_transactions=1)
    running = charger.started(at(0), connectorId=1, idTag="Ann")
    assert (tell(charger, "Ann")["status"], tell(charger, "Ben")["status"]) == (
        "ConcurrentTx",
        "Accepted",
    )
    # The same start again is the session that counts, not a second one.
    assert charger.start(at(0), connectorId=1, idTag="Ann", when=at(1)) == {
        "transactionId": running,
        "idTagInfo": {"status": "Accepted", "parentIdTag": "flat-7"},
    }


def test_what_is_over_or_of_another_charger_counts_as_what_it_is(charger: Charger) -> None:
    household(max_transactions=1)
    elsewhere = Charger("CP2", charger.pipeline)
    running = elsewhere.started(at(0), idTag="Ann")
    assert tell(charger, "Ben")["status"] == "ConcurrentTx"
    elsewhere.boot(at(5))
    assert books(running, "state") == "orphaned"
    assert tell(charger, "Ben")["status"] == "Accepted"
