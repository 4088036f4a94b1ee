"""More flags than a column holds: what a bill depends on stays."""

from levity.ocpp.rules.flags import DO_NOT_BILL, HARMLESS, MEANINGS, class_of, fitting, of_class


def test_who_bills_is_still_told_where_there_are_more_flags_than_a_column_holds() -> None:
    kept = fitting(["neighbours-disagree", "own-id:4711", *MEANINGS], 255)
    assert len(kept) <= 255
    assert {"neighbours-disagree", "own-id:4711"} <= set(kept.split())
    assert class_of(kept) == DO_NOT_BILL
    assert not set(kept.split()) & set(of_class(HARMLESS))


def test_the_oldest_harmless_flag_goes_first() -> None:
    flags = ["late-stop", "orphaned", "an-extension's", "continued", "started-again"]
    assert fitting(flags, 255) == " ".join(flags)
    assert fitting(flags, 48) == "orphaned an-extension's continued started-again"
    assert fitting(flags, 40) == "orphaned an-extension's started-again"
    assert fitting(flags, 13) == "started-again"
    assert fitting(["x" * 300], 255) == ""


def test_every_flag_that_says_do_not_bill_stays() -> None:
    assert set(of_class(DO_NOT_BILL)) <= set(fitting(MEANINGS, 255).split())
