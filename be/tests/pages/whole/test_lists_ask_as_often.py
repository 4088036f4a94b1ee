"""Every list, and every page that is not of one row, asks as often with many rows as with few."""

from collections.abc import Callable

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from tests.pages.whole.rows import one_of_each, pages

pytestmark = pytest.mark.slow
FEW, MANY = 3, 15


def asked(client: Client, paths: list[str]) -> dict[str, int]:
    """How many statements each address took that shows something."""
    counts = {}
    for path in paths:
        with CaptureQueriesContext(connection) as queries:
            answer = client.get(path)
            if answer.status_code == 200 and answer.streaming:
                list(answer)
        if answer.status_code == 200:
            counts[path] = len(queries)
    return counts


def test_no_page_asks_more_often_for_more_rows(root: User, browser: Callable[..., Client]) -> None:
    client = browser(root)
    rows = [one_of_each("row", number) for number in range(FEW)]
    paths = [
        page.path for page in pages(rows[0]) if page.path.startswith("/admin/") and not page.row
    ]
    # (These are asked for once, and then remembered.)
    ContentType.objects.get_for_models(*apps.get_models())
    few = asked(client, paths)
    assert len(few) > 50
    for number in range(FEW, MANY):
        one_of_each("row", number)
    many = asked(client, paths)
    print(
        sorted(((many.get(p, 0) - c, c, many.get(p), p) for p, c in few.items()), reverse=True)[:40]
    )
    # (What depends on the clock may be asked once more; what is asked for each row is not.)
    grown = {
        path: (few[path], count) for path, count in many.items() if count - few[path] >= MANY - FEW
    }
    assert grown == {}
