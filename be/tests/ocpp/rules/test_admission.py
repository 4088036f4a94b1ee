"""Security profiles at the handshake, through the pipeline."""

import base64
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from levity.ocpp.models import (
    AuthFailure,
    ChargePoint,
    ConnectionEvent,
    RefusedHandshake,
    SecurityEvent,
)
from levity_ws.rpc.envelope import Accept, EdgeRefusal, Refuse, Refused
from tests.few import few
from tests.ocpp.charger import NOW, CentralSystem, Charger, at
from tests.ocpp.keyring import KEY, asks, basic, charge_point, status

pytestmark = pytest.mark.django_db

RAW = bytes.fromhex(KEY)
ODD = b"p:a:s:s\xff\xfe\x00\xf6rd with signs"


@pytest.mark.parametrize(
    ("key", "password"),
    [
        (KEY, KEY),
        (KEY, RAW),
        (KEY, KEY.upper()),
        (RAW, KEY),
        (ODD, ODD),
        ("correct horse battery staple", "correct horse battery staple"),
        ("Grüße aus der Garage", "Grüße aus der Garage"),
    ],
)
def test_the_key_is_compared_as_bytes_or_as_its_hexadecimal_text(
    key: str | bytes, password: str | bytes
) -> None:
    """S-01: colons and bytes that are no UTF-8 are a part of the key like any other."""
    charge_point(key=key)
    assert status(asks(CentralSystem(), authorization=basic(password=password))) == 101


GOOD = base64.b64encode(b"CP1:" + KEY.encode()).decode()
UNREADABLE = {
    "nothing": "",
    "no credentials": "Basic",
    "no credentials, one space": "Basic ",
    "no scheme": GOOD,
    "another scheme": f"Bearer {GOOD}",
    "digest": 'Digest username="CP1"',
    "negotiate": f"Negotiate {GOOD}",
    "no base64": "Basic ***",
    "truncated by one": f"Basic {GOOD[:-2]}",
    "truncated to one": f"Basic {GOOD[0]}",
    "cut in the middle": f"Basic {GOOD[: len(GOOD) // 2]}",
    "space inside": f"Basic {GOOD[:8]} {GOOD[8:]}",
    "two of them": f"Basic {GOOD}, Basic {GOOD}",
    "url-safe base64": "Basic " + base64.urlsafe_b64encode(b"CP1:" + b"\xff\xfe" * 9).decode(),
    "no colon": "Basic " + base64.b64encode(b"CP1").decode(),
    "user name only": basic(password=""),
    "password only": basic(username=""),
    "colon only": "Basic " + base64.b64encode(b":").decode(),
    "nothing encoded": "Basic " + base64.b64encode(b"").decode(),
    "wrong key": basic(password="f" * 40),
    "key without its last digit": basic(password=KEY[:-1]),
    "key with one digit more": basic(password=KEY + "0"),
    "key in other bytes": basic(password=RAW + b"\0"),
    "key as it was typed with spaces": basic(password=f" {KEY} "),
    "prefix of the key": basic(password=RAW[:-1]),
    "bytes that are no UTF-8": basic(password=b"\xff\xfe" * 10),
    "NUL": basic(password=b"\0" * 20),
    "user name with bytes that are no UTF-8": basic(username=b"\xff\xfe"),
    "long password": basic(password="x" * 8000),
    "non-ASCII header": "Basic \u00fc\u00fc\u00fc",
    "control characters": "Basic \x01\x02",
    "colon before the name": basic(username=":CP1"),
}


@pytest.mark.parametrize("header", UNREADABLE.values(), ids=UNREADABLE)
def test_whatever_is_not_the_key_is_refused_with_401(header: str) -> None:
    """S-01: 30 variants and more, before the upgrade, without an error of our own."""
    charge_point()
    verdict = asks(CentralSystem(), authorization=header)
    assert status(verdict) == 401
    row = RefusedHandshake.objects.get()
    assert (row.identity, row.status, row.count) == ("CP1", 401, 1)
    assert row.reason in ("no-key", "header", "key", "username")
    assert KEY not in repr(RefusedHandshake.objects.values())


def test_the_padding_may_be_missing_and_the_scheme_written_small() -> None:
    """Some chargers write it so."""
    charge_point(key="x" * 16)
    header = basic(password="x" * 16)
    assert header.endswith("=")
    site = CentralSystem()
    assert status(asks(site, authorization=header.rstrip("="))) == 101
    assert status(asks(site, authorization=header.replace("Basic", "bASIC"))) == 101


def test_the_user_name_must_be_the_identity() -> None:
    """S-02: the right key under another name is not the charger; its case does not matter."""
    charge_point()
    site = CentralSystem()
    verdict = asks(site, authorization=basic(username="CP2"))
    assert status(verdict) == 401
    row = RefusedHandshake.objects.get()
    assert (row.reason, row.detail) == ("username", "its user name is “CP2”")
    assert status(asks(site, authorization=basic(username="cp1"))) == 101


def test_the_key_of_another_charger_opens_nothing() -> None:
    """S-03."""
    charge_point("CP1")
    charge_point("CP2", key="another key, as long as it must be")
    verdict = asks(CentralSystem(), "CP2", authorization=basic(username="CP2"))
    assert status(verdict) == 401


def test_an_identity_with_colons_can_have_a_key() -> None:
    """RFC 7617 wants no colon in a user name; a charger whose identity has some exists."""
    charge_point("GARAGE:A:1", key=ODD)
    verdict = asks(CentralSystem(), "GARAGE:A:1", authorization=basic("GARAGE:A:1", ODD))
    assert status(verdict) == 101


@pytest.mark.parametrize(
    ("profile", "secure", "told"),
    [(1, False, 101), (1, True, 101), (2, False, 401), (2, True, 101)],
)
def test_a_charger_below_its_profile_is_refused(profile: int, secure: bool, told: int) -> None:
    """S-04: the right key over ws:// does not open profile 2."""
    charge_point(profile=profile)
    assert status(asks(CentralSystem(), authorization=basic(), secure=secure)) == told
    reasons = [(row.reason, row.secure) for row in RefusedHandshake.objects.all()]
    assert reasons == ([] if told == 101 else [("no-tls", False)])


def test_profile_0_asks_nobody() -> None:
    """The default of a new site: whoever comes is let in, and is added."""
    site = CentralSystem()
    assert status(asks(site)) == 101
    assert status(asks(site, authorization="Basic nonsense")) == 101
    assert ChargePoint.objects.get().security_profile == 0
    assert not RefusedHandshake.objects.exists()


def test_a_charge_point_without_a_key_is_not_open() -> None:
    """Profile 1 without a key set: nobody gets in, not even with an empty password."""
    charge_point(key=None)
    site = CentralSystem()
    for header in ("", basic(password=""), basic()):
        assert status(asks(site, authorization=header)) == 401
    assert set(RefusedHandshake.objects.values_list("reason", flat=True)) == {
        "no-key",
        "no-key-set",
    }


def test_a_short_key_opens_only_where_a_person_allowed_it() -> None:
    """S-07: and the empty password of Grizzl-E Smart Connect (GWM-07.020) is one."""
    charge_point("OLD", key="", allow_short=True)
    charge_point("NEW", key="", allow_short=False)
    site = CentralSystem()
    assert status(asks(site, "OLD", authorization=basic("OLD", ""))) == 101
    assert status(asks(site, "NEW", authorization=basic("NEW", ""))) == 401


def test_where_keys_are_asked_for_an_unknown_identity_looks_like_a_wrong_key(
    settings: Any,
) -> None:
    """E-01, E-21: the same status and the same words, and no charge point appears."""
    settings.OCPP_SECURITY_PROFILE = 1
    charge_point("KNOWN")
    site = CentralSystem()
    answers = [
        asks(site, identity, authorization=header)
        for identity in ("KNOWN", "NOBODY")
        for header in ("", "Basic ***", basic(identity, "f" * 40), basic("X", "f" * 40))
    ]
    assert all(isinstance(verdict, Refuse) for verdict in answers)
    said = {
        (item.status, item.reason, item.retry_after) for item in answers if isinstance(item, Refuse)
    }
    assert len(said) == 1
    assert {item[0] for item in said} == {401}
    assert not ChargePoint.objects.filter(identity="NOBODY").exists()
    assert RefusedHandshake.objects.filter(identity="NOBODY", reason="unknown").exists()


def tries(
    site: CentralSystem, count: int, identity: str = "CP1", spread: bool = False
) -> list[int]:
    """The answers to so many different keys within an hour, one after the other."""
    return [
        status(
            asks(
                site,
                f"CP{number}" if spread else identity,
                remote="203.0.113.9",
                at=number * 3600 / count,
                authorization=basic(f"CP{number}" if spread else identity, f"guess {number:032}"),
            )
        )
        for number in range(count)
    ]


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("spread", [False, True], ids=["one identity", "spread over identities"])
def test_of_a_thousand_guesses_in_an_hour_at_most_twenty_are_looked_at(
    spread: bool, settings: Any
) -> None:
    """S-05: the others get 429, right or wrong. The real charger comes from elsewhere, and is in
    at once, at any moment of it."""
    settings.OCPP_SECURITY_PROFILE = 1
    charge_point()
    site = CentralSystem()
    answers = tries(site, 1000, spread=spread)
    assert answers.count(401) <= 20
    assert answers.count(429) >= 980
    assert len(answers) == 1000
    # Even the right key is not looked at from there: else it would be a guess like any other.
    assert status(asks(site, remote="203.0.113.9", at=3597, authorization=basic())) == 429
    assert status(asks(site, remote="192.0.2.1", at=3597, authorization=basic())) == 101
    # Decay: an hour later the address is free again.
    assert status(asks(site, remote="203.0.113.9", at=7300, authorization=basic())) == 101


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize("spread", [False, True], ids=["one identity", "spread over identities"])
@pytest.mark.parametrize("begins", few([0, 400, 3000], 0))
def test_behind_the_guessers_own_router_the_real_charger_is_in_within_a_minute(
    spread: bool, begins: int, settings: Any
) -> None:
    """S-05: it comes again with the same key, every 20 s; who guesses goes on to the next. It was
    never let in from there before."""
    settings.OCPP_SECURITY_PROFILE = 1
    charge_point()
    site = CentralSystem()
    answers: list[int] = []
    entered = None
    for number in range(1000):
        now = number * 3.6
        identity = f"X{number}" if spread else "CP1"
        guess = basic(identity, f"guess {number:032}")
        told = asks(site, identity, remote="203.0.113.9", at=now, authorization=guess)
        answers.append(status(told))
        if entered is None and now >= begins and round((now - begins) / 3.6) % 6 == 0:
            real = asks(site, remote="203.0.113.9", at=now, authorization=basic())
            entered = now if status(real) == 101 else None
            assert status(real) == 101 or (isinstance(real, Refuse) and real.retry_after <= 15)
    assert entered is not None
    assert entered - begins <= 60
    assert answers.count(401) <= 20
    assert answers.count(401) + answers.count(429) == 1000


@pytest.mark.slow
@pytest.mark.once
@pytest.mark.parametrize(
    "spread", few([False, True], True), ids=["one identity", "spread over identities"]
)
def test_who_repeats_each_guess_has_no_more_than_twenty_an_hour_either(
    spread: bool, settings: Any
) -> None:
    """S-05: what comes again is looked at out of a bucket of its own, which is as small."""
    settings.OCPP_SECURITY_PROFILE = 1
    charge_point()
    site = CentralSystem()
    looked_at = set()
    for number in range(1000):
        identity = f"CP{number // 4}" if spread else "CP1"
        header = basic(identity, f"guess {number // 4:032}")
        told = asks(site, identity, remote="203.0.113.9", at=number * 3.6, authorization=header)
        if status(told) == 401:
            looked_at.add(number // 4)
    assert 10 < len(looked_at) <= 20


def test_a_guess_that_comes_again_says_nothing_of_which_identities_there_are(
    settings: Any,
) -> None:
    """E-21: one that nobody knows is answered as one that is known, locked out or not."""
    settings.OCPP_SECURITY_PROFILE = 1
    charge_point("KNOWN")
    told = {}
    for identity in ("KNOWN", "NOBODY"):
        AuthFailure.objects.all().delete()
        site = CentralSystem()
        told[identity] = [
            asks(site, identity, authorization=basic(identity, f"guess {number // 3:020}"))
            for number in range(60)
        ]
    assert [(status(item), getattr(item, "retry_after", 0)) for item in told["KNOWN"]] == [
        (status(item), getattr(item, "retry_after", 0)) for item in told["NOBODY"]
    ]


def test_who_was_let_in_from_an_address_is_not_locked_out_by_others_there() -> None:
    """S-05: twenty neighbours behind one router guess; the charger that was there comes back."""
    charge_point("MINE")
    site = CentralSystem()
    charger = Charger("MINE")
    event = charger.asks(remote="203.0.113.9", authorization=basic("MINE"))
    site.take(event, charger.connects(remote="203.0.113.9"), charger.leaves())
    for number in range(40):
        charge_point(f"N{number}", key="the key of a neighbour's charger")
        asks(site, f"N{number}", remote="203.0.113.9", authorization=basic(f"N{number}"))
    locked = asks(site, "N0", remote="203.0.113.9", authorization=basic("N0", "x" * 20))
    assert status(locked) == 429
    assert status(asks(site, "MINE", remote="203.0.113.9", authorization=basic("MINE"))) == 101


def test_one_wrong_key_repeated_for_ever_is_one_guess() -> None:
    """S-05: a charger with a slip in its key locks itself out at no time: once the key is set
    right it is in at once."""
    charge_point()
    site = CentralSystem()
    wrong = basic(password="the wrong key, for three days")
    answers = {status(asks(site, at=number * 10, authorization=wrong)) for number in range(60)}
    assert answers == {401}
    assert status(asks(site, at=601, authorization=basic())) == 101
    assert AuthFailure.objects.count() == 2
    assert RefusedHandshake.objects.get().count == 60


def test_many_guesses_in_one_batch_are_counted_within_it(settings: Any) -> None:
    """S-05: five hundred handshakes that arrive together are not one guess."""
    settings.OCPP_SECURITY_PROFILE = 1
    events = [
        Charger(f"CP{number}").asks(
            remote="203.0.113.9", authorization=basic(f"CP{number}", f"guess {number:032}")
        )
        for number in range(500)
    ]
    answers = [
        item.status
        for item in CentralSystem().take(*events).reply.commands
        if isinstance(item, Refuse)
    ]
    assert len(answers) == 500
    assert answers.count(401) == 5
    # What is remembered of the others is bounded, and none of it is a key.
    (row,) = AuthFailure.objects.exclude(waiting="")
    assert len(row.waiting.split()) == 64
    assert "guess" not in row.waiting


def test_no_key_at_all_is_no_guess(settings: Any) -> None:
    """A new site: fifty chargers behind one router without a key yet lock nobody out."""
    charge_point()
    site = CentralSystem()
    for number in range(50):
        asks(site, at=number)
    assert not AuthFailure.objects.exists()
    assert status(asks(site, at=51, authorization=basic())) == 101


def test_who_comes_without_the_key_touches_nothing_of_the_real_one() -> None:
    """S-14: a hundred tries while it charges: its socket stays, its session goes on, and the
    event is on the books with the first of them."""
    charge_point()
    site = CentralSystem()
    real = Charger()
    site.take(real.asks(authorization=basic()), real.connects())
    transaction_id = site.start(real)
    before = ChargePoint.objects.values().get()
    for number in range(100):
        thief = Charger()
        header = "" if number % 2 else basic(password=f"guess {number:020}")
        taken = site.take(thief.asks(remote="203.0.113.9", authorization=header))
        (verdict,) = taken.reply.commands
        assert isinstance(verdict, Refuse)
        assert verdict.connection == thief.connection
        assert taken.elsewhere == []
        if number == 0:
            event = SecurityEvent.objects.get()
            assert (event.type, event.charge_point_id) == ("AuthenticationFailed", before["id"])
            assert "203.0.113.9" in event.detail
            assert event.received_at == at(0)
    assert ChargePoint.objects.values().get() == before
    assert site.result(real.stops(transaction_id)) == {}
    # Told once each in the other logs, however often it came.
    assert SecurityEvent.objects.count() == 3
    assert ConnectionEvent.objects.filter(kind="refused").count() == 3
    assert sum(RefusedHandshake.objects.values_list("count", flat=True)) == 100


def test_a_flood_of_refusals_takes_a_fixed_number_of_statements_and_rows(settings: Any) -> None:
    """The list of the onboarding doctor is no way to fill the database."""
    settings.OCPP_SECURITY_PROFILE = 1
    site = CentralSystem()

    def statements(size: int) -> int:
        events = [
            Charger(f"X{size}-{number}").asks(remote="198.51.100.1") for number in range(size)
        ]
        with CaptureQueriesContext(connection) as captured:
            site.take(*events)
        return len(captured.captured_queries)

    assert statements(10) == statements(400)
    assert RefusedHandshake.objects.count() == 10 + 100
    assert not ConnectionEvent.objects.exists()


def test_an_accepted_handshake_costs_a_fixed_number_of_statements() -> None:
    """E-22: with a key or without one, ten or four hundred in a batch."""
    site = CentralSystem()
    for number in range(410):
        charge_point(f"K{number}")

    def statements(first: int, size: int) -> int:
        names = [f"K{number}" for number in range(first, first + size)]
        events = [Charger(name).asks(authorization=basic(name)) for name in names]
        with CaptureQueriesContext(connection) as captured:
            verdicts = site.take(*events).reply.commands
        assert all(isinstance(item, Accept) for item in verdicts)
        return len(captured.captured_queries)

    assert statements(0, 10) == statements(10, 400) <= 8


def test_what_the_edge_refused_is_listed_too() -> None:
    """Wrong address, no identity, TLS at the plain port: found by whoever looks for his charger."""
    refusals = (
        EdgeRefusal(
            remote="192.0.2.1",
            reason="path",
            status=404,
            path="/ocpp/CP\x001",
            user_agent="x" * 300,
            subprotocols=("ocpp1.6",),
            count=3,
            first_at=NOW.timestamp(),
            last_at=NOW.timestamp(),
        ),
        EdgeRefusal(remote="192.0.2.1", reason="tls on a plain port"),
    )
    site = CentralSystem()
    for number in range(2):
        site.take(Refused("", "", number, NOW.timestamp(), refusals, 7))
    rows = RefusedHandshake.objects.order_by("reason")
    assert [(row.identity, row.reason, row.status, row.count) for row in rows] == [
        ("", "path", 404, 6),
        ("", "tls-on-a-plain-port", 0, 2),
    ]
    assert rows[0].path == "/ocpp/CP\\u00001"


def test_three_wrong_paths_behind_one_router_are_three_rows() -> None:
    """NEWCOMER B18, c05: one row showed the last path of several chargers only."""
    paths = ("/ws/A%23B", "/wsCP1", "/ws/CHARGE_POINT_ID", "/wsCP1")
    refusals = [
        EdgeRefusal(remote="192.0.2.1", reason="path", status=404, path=path, detail=path)
        for path in paths
    ]
    site = CentralSystem()
    site.take(Refused("", "", 0, NOW.timestamp(), tuple(refusals), 0))
    rows = RefusedHandshake.objects.order_by("path").values_list("path", "count")
    assert list(rows) == [("/ws/A%23B", 1), ("/ws/CHARGE_POINT_ID", 1), ("/wsCP1", 2)]
