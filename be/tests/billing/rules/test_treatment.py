"""What becomes of a session that is over."""

from dataclasses import replace

import pytest

from levity.billing.rules.treatment import (
    COMMON,
    EXCLUDED,
    PRICED,
    REASONS,
    WAITS,
    Decision,
    Facts,
    treat,
)

FINE = Facts("5000 high", "harmless", 5000, household=1)


def said(facts):
    found = treat(facts)
    return found.state, found.reason, found.household


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({}, (PRICED, "", 1)),
        ({"category": "look"}, (WAITS, "look", 1)),
        ({"category": "do-not-bill"}, (WAITS, "do-not-bill", 1)),
        ({"category": "do-not-bill", "wh": 0}, (EXCLUDED, "nothing-charged", 1)),
        ({"wh": None}, (WAITS, "no-figure", 1)),
        ({"household": None}, (WAITS, "nobodys", None)),
        ({"has_use": False, "has_version": False}, (WAITS, "no-tariff", 1)),
        ({"has_version": False}, (WAITS, "no-version", 1)),
        ({"is_free": True, "has_version": False}, (COMMON, "free", 1)),
        ({"is_free": True, "household": None}, (COMMON, "free", None)),
        ({"is_free": True, "category": "look"}, (WAITS, "look", 1)),
        ({"is_given_to_nobody": True, "household": None}, (COMMON, "given-to-nobody", None)),
    ],
)
def test_nothing_is_billed_or_free_in_silence(change, wanted):
    assert said(replace(FINE, **change)) == wanted
    assert not wanted[1] or wanted[1] in REASONS


@pytest.mark.parametrize(
    ("decision", "wanted"),
    [
        (Decision("bill", "5000 low"), (PRICED, "", 1)),
        (Decision("bill", "5000 low", household=2), (PRICED, "", 2)),
        (Decision("common", "5000 low"), (COMMON, "decided", 1)),
        (Decision("exclude", "5000 low"), (EXCLUDED, "decided", 1)),
        (Decision("bill", "4000 low"), (WAITS, "look", 1)),
        (Decision("exclude", "4000 low"), (WAITS, "look", 1)),
    ],
)
def test_a_decision_holds_for_the_figures_that_were_seen(decision, wanted):
    doubtful = replace(FINE, figures="5000 low", category="look", decision=decision)
    assert said(doubtful) == wanted


def test_what_is_not_known_is_not_billed_though_somebody_says_so():
    assert said(replace(FINE, wh=None, decision=Decision("bill", FINE.figures))) == (
        WAITS,
        "no-figure",
        1,
    )
