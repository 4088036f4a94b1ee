"""`levity send_statements`."""

import io

import pytest
from django.core.management import CommandError, call_command

from levity.billing.models import StatementMail
from tests.billing.statements.test_mails import run
from tests.monitoring.conftest import mail_server

__all__ = ["mail_server", "run"]

pytestmark = pytest.mark.django_db


def ran(*args):
    said = io.StringIO()
    call_command("send_statements", *args, stdout=said)
    return said.getvalue()


def test_it_lists_sends_and_says_what_became_of_each(run, mail_server):
    """Nothing is sent twice; a refusal is the exit status."""
    said = ran("2026-11", "--dry-run")
    assert "E-3: no address, print it: Cara" in said
    assert "E-1: to anna@example.net, Anna" in said
    assert not StatementMail.objects.exists()
    mail_server.refused = {"bob@example.net": "550 no"}
    with pytest.raises(CommandError, match="1 could not be sent"):
        ran("2026-11")
    mail_server.refused = {}
    assert "1 sent" in ran(str(run.pk))
    assert [to for to, _ in mail_server.mails] == [["anna@example.net"], ["bob@example.net"]]
    with pytest.raises(CommandError, match="no closed run '2026-12'"):
        ran("2026-12")
