"""Which tariff a session has."""

from datetime import date

from levity.billing.rules.choosing import Use, Uses

DAY = date(2026, 11, 5)


def test_what_says_more_counts_more():
    everybody, site, charger = Use(1), Use(2, site=7), Use(3, charge_point=8)
    household, card = Use(4, household=9), Use(None, id_tag="04AA")
    uses = Uses([everybody, site, charger, household, card])
    place = {"site": 7, "charge_point": 8}
    assert uses.of(DAY, **place, household=9, id_tag="04aa") == card
    assert uses.of(DAY, **place, household=9, id_tag="04BB") == household
    assert uses.of(DAY, **place) == charger
    assert uses.of(DAY, site=7, charge_point=1) == site
    assert uses.of(DAY, site=1) == everybody
    assert Uses([site]).of(DAY, site=1) is None


def test_days_are_included_on_both_ends():
    uses = Uses([Use(1, last=date(2026, 11, 4)), Use(2, first=DAY, last=DAY)])
    assert [uses.of(date(2026, 11, day)) for day in (4, 5, 6)] == [
        Use(1, last=date(2026, 11, 4)),
        Use(2, first=DAY, last=DAY),
        None,
    ]


def test_two_for_the_same_on_one_day_meet():
    assert Use(1, id_tag="04AA").meets(Use(2, id_tag="04aa", first=DAY))
    assert not Use(1, site=1, last=date(2026, 11, 4)).meets(Use(2, site=1, first=DAY))
    assert not Use(1, site=1).meets(Use(2, charge_point=1))
