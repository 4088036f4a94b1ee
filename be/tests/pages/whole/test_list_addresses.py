"""What stands in the address of a list: a question that its filters ask, or no question at all."""

from collections.abc import Callable
from itertools import product
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import DatabaseError, connection
from django.test import Client, RequestFactory
from django.urls import reverse

from levity.ocpp.models import AuditEntry, ChargePoint, Message, Transaction
from levity.pages.chargers.filters import RowFilter
from levity.pages.kit.lookups import LONGEST, OnlyDeclaredLookups, few_words
from tests.few import few
from tests.pages.whole.rows import SHOWN, one_of_each

BAD = (
    *("0", "-1", "x", "", "%00", "'", '"', "null", "1,2", "[]", "2026-13-45", "9" * 19, "9" * 200),
    *("9" * 5000, "%D9%A1", "1.5", "1e9", "a" * 3000, "(y%2B)%2Bz", "%ED%A0%80", "%FF"),
)
WORST = ("x", "-1", "", "9" * 19, "9" * 200)
COMPARISONS = ("regex", "iregex", "startswith", "range", "in", "gt", "year", "isnull", "contains")
ALWAYS = ("q", "p", "o", "e", "all", "_popup", "_to_field", "_facets", "_changelist_filters")


def address(model: type[Any], query: str = "") -> str:
    """Of the list of this model."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    return f"{reverse(name)}?{query}"


def columns(model: type[Any]) -> list[str]:
    """Those of the model, and those of the charge point that it belongs to."""
    own = [field.name for field in model._meta.concrete_fields]
    return [*own, *(["charge_point__identity"] if "charge_point" in own else [])]


def asked(model: type[Any]) -> list[str]:
    """What the filters of this list ask for."""
    found: list[str] = []
    for item in admin.site._registry[model].list_filter:
        name = getattr(item, "parameter_name", None) or (item if isinstance(item, str) else item[0])
        found += [name] if isinstance(item, type) else []
        if not isinstance(item, type):
            found += [f"{name}{end}" for end in ("__exact", "__isnull", "__id__exact", "_from")]
    return found


@pytest.fixture
def rows(db: None) -> None:
    one_of_each("y" * 40)


@pytest.mark.parametrize("model", SHOWN, ids=lambda model: model.__name__)
def test_no_column_can_be_asked_for_that_no_filter_asks_for(
    model: type[Any], rows: None, browser: Callable[..., Client], root: User
) -> None:
    """C4: a viewer read the token of a webhook letter by letter in 285 requests; A4: one address
    kept the interpreter for ever; `?id__range=0` was a 500."""
    questions = [
        question
        for column, comparison in product(columns(model), COMPARISONS)
        if (question := f"{column}__{comparison}") not in asked(model)
    ]
    page, request = admin.site._registry[model], RequestFactory().get(address(model))
    assert [item for item in questions if page.lookup_allowed(item, "x", request)] == []
    answer = browser(root).get(address(model, "id__regex=(y%2B)%2Bz"))
    assert answer.status_code == 400


@pytest.mark.parametrize(
    "model",
    few(SHOWN, AccessAttempt, AuditEntry, ChargePoint, Message, Transaction, User),
    ids=lambda model: model.__name__,
)
def test_no_address_of_a_list_is_an_error_of_ours(
    model: type[Any], rows: None, browser: Callable[..., Client], root: User
) -> None:
    client = browser(root, raise_request_exception=False)
    wrong = {}
    # What Django reads by itself is the same for all; a list of its own search is among them.
    always = ALWAYS if model in (Message, User) else ("p", "o")
    for name, value in (*product(asked(model), WORST), *product(always, BAD[:: len(BAD) // 5])):
        answer = client.get(address(model, f"{name}={value}"))
        if answer.status_code not in (200, 302, 400):
            wrong[f"{name}={value[:20]}"] = answer.status_code
    assert wrong == {}


def test_what_one_types_to_find_a_row_is_no_error_of_ours(
    rows: None, browser: Callable[..., Client], root: User
) -> None:
    """The little lists that open while one types in a filter or a form."""
    client = browser(root, raise_request_exception=False)
    wrong = {}
    for model in SHOWN:
        for item in admin.site._registry[model].list_filter:
            if isinstance(item, tuple) and item[1] is RowFilter:
                for name, value in product(("term", "page"), WORST):
                    about = f"app_label={model._meta.app_label}&model_name={model._meta.model_name}"
                    page = f"/admin/autocomplete/?{about}&field_name={item[0]}&{name}={value}"
                    answer = client.get(page)
                    if answer.status_code not in (200, 400, 403, 404):
                        wrong[page[:150]] = answer.status_code
    assert wrong == {}


def test_every_list_declares_what_it_can_be_asked() -> None:
    """A list that somebody adds tomorrow, too."""
    assert [
        model for model in SHOWN if not isinstance(admin.site._registry[model], OnlyDeclaredLookups)
    ] == []


def test_the_links_of_our_own_pages_are_asked_for(
    rows: None, browser: Callable[..., Client], root: User
) -> None:
    """Of a transaction to its samples and corrections, of a charge point to all that is its."""
    client = browser(root)
    for model in ("metervalue", "metervaluecorrection"):
        page = reverse(f"admin:ocpp_{model}_changelist")
        assert client.get(page, {"transaction__id__exact": "1"}).status_code == 200
    page = reverse("admin:ocpp_chargepoint_changelist")
    assert client.get(page, {"site__id__exact": "1", "online": "no"}).status_code == 200


def test_the_database_knows_no_regular_expressions(rows: None) -> None:
    """Django gives SQLite those of Python, which hold the interpreter; whoever asks gets an error,
    not an answer that never comes."""
    if connection.vendor == "sqlite":
        with pytest.raises(DatabaseError):
            Message.objects.filter(request__regex="(y+)+z").exists()


def test_a_search_has_few_words_and_every_quotation_ends() -> None:
    """Django looks for each word in each column, and reads quotation marks with an expression."""
    assert few_words('"a b" c') == '"a b" c'
    assert '"' not in few_words('"' * 151)
    assert len(few_words("a " * 5000).split()) == 12
    assert len(few_words("a" * 5000)) == LONGEST
