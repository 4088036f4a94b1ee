"""I-21: frames from a grammar, through the whole pipeline; what must hold whatever comes.

A thousand in every run, always the same ones. `make fuzz` takes 100,000 and says how far it is;
`make fuzz SEED=7` takes others. What breaks something is printed, and gets a test of its own.
"""

import json
import logging
import os
from collections.abc import Callable, Iterator
from uuid import uuid4

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from levity.ocpp.commands import lifecycle
from levity.ocpp.models import ChargePoint, Command, FailedMessage, Message, Transaction
from levity_ws.rpc.envelope import Reply, Send
from tests.ocpp.charger import CentralSystem, Charger, at
from tests.promises.fuzz.grammar import CALL_OF_OURS, FOREIGN, OWN, frames
from tests.promises.promises import answers_to, judge

FRAMES = int(os.environ.get("LEVITY_FUZZ_FRAMES", "1000"))
SEED = int(os.environ.get("LEVITY_FUZZ_SEED", "20261122"))
CHARGERS = 10
"""As many frames make a batch: one of each charger, as the edge sends them."""
TOLD_EVERY = 2000
ONE_BY_ONE_EVERY = 5
"""Batches; it takes as long as ten of them."""

pytestmark = [pytest.mark.django_db(transaction=True, reset_sequences=False)]


class Fleet:
    """Ten chargers whose sessions and commands live on from batch to batch; a good neighbour."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say = say
        self.site = CentralSystem()
        self.chargers = [self.site.connect(Charger(f"FUZZ{number}")) for number in range(CHARGERS)]
        self.neighbour = self.site.connect(Charger("NEIGHBOUR"))
        self.ids = [self.site.start(charger) for charger in self.chargers]
        self.taken = 0
        self.told = 0

    def batch(self, texts: list[str]) -> None:
        """Let each charger say one of these, and see that all promises hold."""
        sent = self._calls_of_ours()
        events = [
            charger.says(self._filled(text, number, sent.get(charger.connection, "nobody")))
            for number, (charger, text) in enumerate(zip(self.chargers, texts, strict=True))
        ]
        beat = self.neighbour.calls("Heartbeat")
        batch = [*events[:5], beat, *events[5:]]
        answers = answers_to(self.site, *batch)
        assert answers.pop(beat.connection)[0] == 3
        for event in events:
            judge(event, answers.pop(event.connection, None))
        assert answers == {}
        # Delivered again, whole and one by one: the same bytes, and nothing more on the books.
        first = self.site.taken.reply.commands
        assert self.site.take(*batch).reply.commands == first
        if self.taken % (CHARGERS * ONE_BY_ONE_EVERY) == 0:
            # (What answers a Call of ours is kept with the Call; seen again, it has a row.)
            rows = Message.objects.count()
            assert self.site.take(*batch, deliveries=1).reply.commands == first
            assert Message.objects.count() == rows
        self._tell(len(texts))

    def _calls_of_ours(self) -> dict[str, str]:
        known = {
            row.identity: row for row in ChargePoint.objects.filter(identity__startswith="FUZZ")
        }
        # Those that got no answer are given up, as a worker does.
        lifecycle.give_up(at(10**7))
        Command.objects.bulk_create(
            Command(charge_point=known[charger.identity], action="Reset", not_before=at(-1))
            for charger in self.chargers
        )
        sent: dict[str, str] = {}

        def send(reply_to: str, reply: Reply) -> bool:
            sent.update(
                (command.connection, json.loads(command.text)[1])
                for command in reply.commands
                if isinstance(command, Send)
            )
            return True

        lifecycle.dispatch(at(0), send)
        return sent

    def _filled(self, text: str, number: int, call_of_ours: str) -> str:
        own, foreign = self.ids[number], self.ids[(number + 1) % CHARGERS]
        text = text.replace(str(OWN), str(own)).replace(str(FOREIGN), str(foreign))
        return text.replace(CALL_OF_OURS, call_of_ours)

    def _tell(self, count: int) -> None:
        self.taken += count
        if FRAMES > 10_000 and self.taken - self.told >= TOLD_EVERY:
            self.told = self.taken
            self.say(f"{self.taken:>7,} frames")

    def is_well(self) -> None:
        """Nobody is stuck: whoever speaks is served, and whatever was said is on the books."""
        assert FailedMessage.objects.count() == 0
        for charger in self.chargers:
            assert "currentTime" in self.site.result(charger.calls("Heartbeat"))
            charged = self.site.start(charger, meterStart=5_000_000, connectorId=7)
            self.site.result(charger.stops(charged, meterStop=5_001_000))
            row = Transaction.objects.values("state", "energy").get(pk=charged)
            assert row == {"state": "stopped", "energy": 1000}
        assert Command.objects.filter(charge_point__identity="NEIGHBOUR").count() == 0
        unstorable = [
            row.pk for row in Message.objects.only("request").iterator() if "\x00" in row.request
        ]
        assert unstorable == []


@pytest.fixture(autouse=True)
def _without_a_log() -> Iterator[None]:
    """A line for each frame, kept until the end, would be most of the memory and of the output."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def run(count: int, number: int, say: Callable[[str], None]) -> Fleet:
    """So many frames of this seed."""
    fleet = Fleet(say)

    @seed(number)
    @settings(
        max_examples=-(-count // CHARGERS),
        deadline=None,
        database=None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(st.lists(frames(), min_size=CHARGERS, max_size=CHARGERS))
    def batches(texts: list[str]) -> None:
        fleet.batch(texts)

    batches()
    return fleet


@pytest.mark.slow
def test_no_frame_breaks_a_promise_and_every_list_of_the_admin_is_shown_afterwards(
    capfd: pytest.CaptureFixture[str],
) -> None:
    """I-21, and I-14: what chargers wrote is shown, whatever it is."""

    def say(progress: str) -> None:
        with capfd.disabled():
            print(progress, flush=True)

    fleet = run(FRAMES, SEED, say)
    assert fleet.taken >= FRAMES * 0.9
    fleet.is_well()
    browser = Client()
    browser.force_login(User.objects.create_superuser(f"root-{uuid4().hex[:8]}"))
    pages = [
        reverse(f"admin:ocpp_{model._meta.model_name}_changelist")
        for model in admin.site._registry
        if model._meta.app_label == "ocpp"
    ]
    assert len(pages) >= 10
    for page in [*pages, reverse("admin:index")]:
        answer = browser.get(page)
        assert (answer.status_code, page) == (200, page)
        assert b"<script>xss7" not in answer.content
    for row in ChargePoint.objects.filter(identity__startswith="FUZZ"):
        page = reverse("admin:ocpp_chargepoint_change", args=[row.pk])
        assert (browser.get(page).status_code, page) == (200, page)
