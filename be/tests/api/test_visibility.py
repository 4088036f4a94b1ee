"""A token for site A sees and changes nothing of site B, by whatever operation."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.core import serializers
from django.db.models import Model

from levity.ocpp.models import AuditEntry, ChargePoint, Site
from tests.api.conftest import Caller
from tests.api.operations import ELSEWHERE, KEYS, operations, rows_for_the_api
from tests.pages.whole.rows import SHOWN
from tests.rows_of_two_sites import THEIRS as ANOTHER_S
from tests.rows_of_two_sites import mixed

ALL = list(operations())
OURS, THEIRS = "oursideA", "theirsideB"
Rows = dict[type[Model], Model]
# (422: the smallest body that the schema allows is not always good enough.)
REFUSED = (403, 404, 422)
# (409: it is there; its file is not, or accounting data are missing.)
FOUND = (200, 409)


@pytest.fixture
def sites(db: None) -> tuple[Rows, Rows]:
    """A row of every kind at A, and one at B."""
    ours, theirs = Site.objects.create(name=OURS), Site.objects.create(name=THEIRS)
    return (
        rows_for_the_api(OURS, 0, site=ours) | {Site: ours},
        rows_for_the_api(THEIRS, 1, site=theirs) | {Site: theirs},
    )


def all_rows() -> set[str]:
    """Everything that is stored, but for the use of the token."""
    return {
        serializers.serialize("json", [row])
        for model in SHOWN
        if model._meta.label not in ("api.ApiToken", "ocpp.AuditEntry")
        for row in model._default_manager.all()
    }


def ours_of(rows: tuple[Rows, Rows]) -> Site:
    row = rows[0][ChargePoint]
    assert isinstance(row, ChargePoint)
    assert row.site is not None
    return row.site


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["read", "operate", "admin"])
def test_a_token_for_one_site_sees_nothing_of_another(
    sites: tuple[Rows, Rows], caller: Callable[..., Caller], scope: str
) -> None:
    everybody, mine = caller("admin"), caller(scope, sites=[ours_of(sites)])
    leaks, missing = [], []
    for each in ALL:
        path = each.path(sites[1])
        if each.method != "GET" or path is None:
            continue
        response = mine("GET", path)
        body = b"".join(response) if response.streaming else response.content
        if THEIRS.encode() in body or (response.status_code in FOUND and "{" in each.template):
            leaks.append((each.name, response.status_code, body[:300]))
        control = everybody("GET", path)
        if control.status_code not in FOUND:
            missing.append((each.name, control.status_code, control.content))
    assert leaks == []
    assert missing == []


@pytest.mark.slow
def test_a_token_for_one_site_sees_what_is_there(
    sites: tuple[Rows, Rows], caller: Callable[..., Caller]
) -> None:
    """The test above is not passed by showing nothing."""
    mine = caller("read", sites=[ours_of(sites)])
    empty = []
    for each in ALL:
        path = each.path(sites[0])
        if each.method == "GET" and path is not None:
            response = mine("GET", path)
            body = b"".join(response) if response.streaming else response.content
            if OURS.encode() not in body:
                empty.append(each.name)
    # Handshakes name no site. The others are about the installation, or shown to admins only.
    assert set(empty) <= EMPTY_FOR_THE_LIMITED, sorted(set(empty) - EMPTY_FOR_THE_LIMITED)


@pytest.mark.slow
@pytest.mark.parametrize("ours_to_theirs", [True, False])
def test_what_refers_to_another_site_does_not_name_it(
    ours_to_theirs: bool, caller: Callable[..., Caller], db: None
) -> None:
    ours, _ = mixed(ours_to_theirs=ours_to_theirs)
    mine = caller("admin", sites=[ours_of((ours, {}))])
    leaks = []
    for each in ALL:
        path = each.path(ours)
        if each.method == "GET" and path is not None:
            response = mine("GET", path)
            body = b"".join(response) if response.streaming else response.content
            if ANOTHER_S.encode() in body:
                leaks.append((each.name, body[:300]))
    assert leaks == []


def test_every_address_is_asked_for_or_it_is_said_why_not() -> None:
    """A key that nobody had told the tests left its resource out of all of them, in silence."""
    named = [*KEYS.values(), *ELSEWHERE.values()]
    rows: Rows = {model: model(pk=1) for model, _ in named}
    unknown = {each.template for each in ALL if each.path(rows) is None}
    assert unknown == set()


EMPTY_FOR_THE_LIMITED = {
    # A price names nobody; only those who may collect get what a bank gets.
    *("get_tariff_in_ocpi", "download_direct_debits"),
    # What is on no disk; what is for all sites, and not shown to somebody of one.
    *("download_file", "download_run_for_accounts", "get_configuration_template"),
    *("get_firmware_campaign", "list_campaign_charge_points"),
    *("get_user", "get_webhook", "list_deliveries"),
    # No session here has signed values.
    *("get_signed_values", "export_signed_values", "export_signed_values_of_statement"),
    *("list_audit_entries", "list_refused_handshakes", "get_refused_handshake"),
    *("list_candidates", "get_samples_of_transaction", "list_configuration_templates"),
    *("list_configuration_drift", "list_events", "list_webhooks"),
    *("get_limit", "list_firmware", "list_firmware_campaigns"),
    *("list_alert_rules", "get_alert_rule", "list_users"),
}


@pytest.mark.slow
@pytest.mark.parametrize("scope", ["read", "operate", "admin"])
def test_a_token_for_one_site_changes_nothing_of_another(
    sites: tuple[Rows, Rows], caller: Callable[..., Caller], scope: str
) -> None:
    mine = caller(scope, sites=[ours_of(sites)])
    before, entries = all_rows(), AuditEntry.objects.count()
    done = []
    for each in ALL:
        path = each.path(sites[1])
        if each.method == "GET" or "{" not in each.template or path is None:
            continue
        response = mine(each.method, path, each.body)
        if response.status_code not in REFUSED:
            done.append((each.name, response.status_code, response.content))
    assert done == []
    assert all_rows() - before == set()
    assert AuditEntry.objects.count() == entries


@pytest.mark.slow
def test_nothing_is_seen_or_changed_without_permission(
    sites: tuple[Rows, Rows], caller: Callable[..., Caller], person: Callable[..., User]
) -> None:
    """W-13: nothing is changed without the permission."""
    owner = person("nora", "Admin")
    nobody = caller("admin", owner)
    owner.groups.clear()
    before = all_rows()
    for each in ALL:
        path = each.path(sites[1])
        if path is None:
            continue
        status = nobody(each.method, path, each.body).status_code
        assert (each.name, status in REFUSED) == (each.name, True), status
    assert all_rows() - before == set()
