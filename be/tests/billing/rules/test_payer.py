"""Whose session it is."""

from datetime import date

import pytest

from levity.billing.rules.payer import CARD, CHARGE_POINT, CONNECTOR, NOBODY, Held, Holders, Payer

FIRST, MOVE, LAST = date(2026, 11, 1), date(2026, 11, 16), date(2026, 11, 30)
HELD = (
    Held(1, FIRST, None, id_tag="04AA"),
    Held(2, FIRST, date(2026, 11, 15), charge_point=7),
    Held(3, MOVE, None, charge_point=7),
    Held(4, FIRST, None, charge_point=7, connector=2),
    Held(5, FIRST, LAST, id_tag="GUEST"),
)


@pytest.mark.parametrize(
    ("connector", "id_tag", "day", "payer"),
    [
        (1, "04aa", MOVE, Payer(1, CARD)),
        # A guest's card at a resident's charger is the guest's.
        (2, "GUEST", MOVE, Payer(5, CARD)),
        (2, "unknown", MOVE, Payer(4, CONNECTOR)),
        (1, "unknown", date(2026, 11, 15), Payer(2, CHARGE_POINT)),
        (1, "", MOVE, Payer(3, CHARGE_POINT)),
        (None, "", MOVE, Payer(3, CHARGE_POINT)),
        (1, "", date(2026, 10, 31), Payer(None, NOBODY)),
        (1, "GUEST", date(2026, 12, 1), Payer(3, CHARGE_POINT)),
    ],
)
def test_the_card_says_most_then_the_connector_then_the_charge_point(connector, id_tag, day, payer):
    assert Holders(HELD).payer(7, connector, id_tag, day) == payer


def test_what_two_have_at_once_is_nobodys():
    both = Holders([*HELD, Held(9, FIRST, None, id_tag="04AA")])
    assert both.payer(8, 1, "04AA", MOVE) == Payer(None, NOBODY)


def test_assignments_meet_on_a_common_day_of_the_same_thing():
    card = Held(1, FIRST, LAST, id_tag="04AA")
    assert card.meets(Held(2, LAST, None, id_tag="04aa"))
    assert not card.meets(Held(2, date(2026, 12, 1), None, id_tag="04AA"))
    assert not card.meets(Held(2, FIRST, None, id_tag="04AB"))
    assert not HELD[2].meets(HELD[3])
