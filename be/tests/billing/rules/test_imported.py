"""A session of another system is not billed in silence."""

from levity.billing.rules.treatment import BILL, EXCLUDED, IMPORTED, PRICED, Decision, Facts, treat


def facts(**values):
    return Facts("5000 medium imported", "harmless", 5000, 7, is_imported=True, **values)


def test_an_imported_session_is_not_billed_and_says_why():
    found = treat(facts())
    assert (found.state, found.reason, found.household) == (EXCLUDED, IMPORTED, 7)


def test_a_person_may_bill_it_all_the_same():
    found = treat(facts(decision=Decision(BILL, "5000 medium imported")))
    assert (found.state, found.is_decided) == (PRICED, True)


def test_a_decision_about_other_figures_has_lapsed():
    found = treat(facts(decision=Decision(BILL, "4000 medium imported")))
    assert found.state == EXCLUDED
