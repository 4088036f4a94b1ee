"""No number is given twice, not even after a backup was restored that does not know it."""

import json
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from levity.billing.models import Issuer, NumberGap
from levity.billing.statements import numbers
from levity.billing.statements.closing import close
from levity.ocpp.deciding import NotPossible
from levity.ocpp.models import AuditEntry, Installation
from levity.run.backups import settle
from tests.billing.statements.conftest import FIRST, LAST, session
from tests.pages.whole.conftest import browser, person, root, said_quietly

__all__ = ["browser", "person", "root", "said_quietly"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def data_dir(tmp_path, settings):
    settings.LEVITY_DATA_DIR = tmp_path
    return tmp_path


def restored(data_dir):
    """A backup was restored that knows no statement, though five were posted."""
    (data_dir / numbers.FILE).write_text(json.dumps({"E-": 6, "other-": 99}))
    Issuer.objects.update(numbers_sure_at=timezone.now() - timedelta(days=1))
    return settle(timezone.now())


def test_the_next_number_is_written_beside_the_database_at_closing(
    charger, issuer, anna, data_dir, django_capture_on_commit_callbacks
):
    session(charger, 3)
    with django_capture_on_commit_callbacks(execute=True):
        close(issuer, FIRST, LAST, None)
    assert json.loads((data_dir / numbers.FILE).read_text()) == {"E-": 2}
    numbers.remember(issuer, 1)
    assert json.loads((data_dir / numbers.FILE).read_text()) == {"E-": 2}


def test_after_a_restore_nothing_is_closed_before_somebody_says_what_was_posted(
    charger, issuer, anna, data_dir
):
    session(charger, 3)
    (sentence,) = restored(data_dir).numbers
    assert "the next number would be E-000006" in sentence
    with pytest.raises(NotPossible, match="which number was posted last"):
        close(issuer, FIRST, LAST, None)
    issuer.refresh_from_db()
    with pytest.raises(NotPossible, match="E-000005 was given already"):
        numbers.confirm(issuer, 4, None)
    with pytest.raises(NotPossible, match="more than a million"):
        numbers.confirm(issuer, 999_999_999, None)
    # Another computer has closed one more.
    numbers.confirm(issuer, numbers.number_of(issuer, "E-000006"), None)
    assert close(issuer, FIRST, LAST, None).statements.get().label == "E-000007"
    assert [str(gap) for gap in NumberGap.objects.all()] == [
        "E-000001 to E-000005",
        "E-000006 to E-000006",
    ]
    assert AuditEntry.objects.filter(what__startswith="numbers left out").count() == 2


def test_the_page_asks_for_the_number(browser, root, charger, issuer, anna, data_dir):
    session(charger, 3)
    restored(data_dir)
    web = browser(root)
    asked = {"issuer": issuer.pk, "first": "2026-11-01", "last": "2026-11-30"}
    page = web.get("/admin/billing/statementrun/check/", asked).content.decode()
    assert "Number of the last statement that was posted" in page
    assert "E-000005" in page
    assert "Close 1 statement" not in page
    wrong = {**asked, "number": "eleven"}
    said = web.post("/admin/billing/statementrun/numbers/", wrong, follow=True).content.decode()
    assert "as it is printed" in said
    right = {**asked, "number": "E-000005"}
    page = web.post("/admin/billing/statementrun/numbers/", right, follow=True).content.decode()
    assert "Close 1 statement" in page


def test_the_command_asks_for_the_number(charger, issuer, data_dir, capsys):
    session(charger, 3)
    restored(data_dir)
    call_command("statement_numbers")
    assert "to be confirmed by --last" in capsys.readouterr().out
    with pytest.raises(CommandError, match="as it is printed"):
        call_command("statement_numbers", last="E-x")
    call_command("statement_numbers", last="E-000009")
    said = capsys.readouterr().out
    assert "the next number is E-000010" in said
    assert "left out: E-000006 to E-000009" in said
    assert "to be confirmed" not in said
    assert Installation.get().restored_at is not None
