"""Frames as chargers sent them: no CALLERROR, no sample and no session lost, the energy right.

Each is played as it is, with a stop after it, and with the stop lost in two ways. What is right is
in `right.py`, worked out from the frames; and the tool that corrects has nothing to say.
"""

import json
from collections.abc import Callable
from copy import deepcopy
from functools import partial

import pytest
from django.db import transaction

from levity.ocpp.chargers.quirks.matching import profile_for
from tests.field.captured import Capture, captures
from tests.field.in_process import InProcess
from tests.field.judge import nothing_to_correct
from tests.field.played import Played
from tests.field.right import RIGHT
from tests.field.verdicts import after_a_lost_stop, after_a_stop, as_it_is
from tests.ocpp.extension.billing import agree

PLAYED = [capture for capture in captures() if capture.plays]
ENDINGS: dict[str, Callable[[Played], None]] = {
    "stopped": after_a_stop,
    "boots": partial(after_a_lost_stop, boots=True),
    "abandoned": partial(after_a_lost_stop, boots=False),
}


@pytest.mark.django_db
@pytest.mark.parametrize("capture", PLAYED, ids=lambda capture: capture.name)
def test_a_capture_leaves_the_books_right(capture: Capture, subtests: pytest.Subtests) -> None:
    """As it is; a session that still runs then ends in each way, and each time as if it were the
    only one."""
    # Early enough that nothing of it lies ahead.
    played = as_it_is(InProcess(capture.first_moment), capture)
    nothing_to_correct()
    for name, ending in ENDINGS.items() if capture.runs_on else ():
        with subtests.test(name), transaction.atomic():
            ending(deepcopy(played))
            nothing_to_correct()
            agree()
            transaction.set_rollback(True)


def test_every_capture_has_its_right_outcome_and_its_source() -> None:
    """A capture without what is right for it judges nothing."""
    assert {capture.name for capture in PLAYED} == set(RIGHT)
    for capture in captures():
        assert capture.about["source"], capture.name
        assert capture.about["changed"], capture.name


@pytest.mark.parametrize(
    ("capture", "profile"),
    [
        ("abb-1", "abb-terra"),
        ("abb-5", "abb-terra"),
        ("alfen-1", "alfen"),
        ("evbox-1", "evbox"),
        ("grizzl-e-2", "grizzl-e"),
        ("grizzl-e-4", "grizzl-e"),
        ("grizzl-e-6", "grizzl-e"),
        ("metron-1", "metron"),
        ("mo16-1-sessions", "microocpp"),
        ("ocular-1", "ocular"),
        ("schneider-1", "schneider-siemens"),
    ],
)
def test_a_captured_boot_finds_the_profile_of_its_make(capture: str, profile: str) -> None:
    """By the names that it really says, not by the brand's."""
    (found,) = [item for item in captures() if item.name == capture]
    boots = (json.loads(text)[3] for text in found.said if '"BootNotification"' in text)
    said = next(boots)
    names = ("chargePointVendor", "chargePointModel", "firmwareVersion")
    assert profile_for(*(said.get(name, "") for name in names)).name == profile
