"""Samples as releases before kept them: a row each. Read as all others, moved, and then gone."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection

from levity.ocpp.models import (
    LegacySample,
    MeterValue,
    MeterValueCorrection,
    QuarantinedMessage,
    SampleTrace,
)
from levity.ocpp.store.samples import legacy
from levity.ocpp.store.samples.elements import place_of
from levity.ocpp.store.samples.moving import Mover
from tests.kept import FIELDS, Samples
from tests.ocpp.store.samples.test_moving import KEPT, Killed, assert_same, move_all
from tests.ocpp.store.samples.weeks import ACTIONS, Week, last_moment, outcome, seen

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _afresh() -> Any:
    legacy.look_again()
    yield
    legacy.look_again()


def week_of_before() -> Week:
    """All that is kept, as the release before would have written it, trails and all."""
    week = Week()
    keys: dict[int, int] = {}
    names = [name for name in FIELDS if name != "id"]
    for sample in list(Samples.objects.values("id", *names)):
        row = LegacySample.objects.create(**{name: sample[name] for name in names})
        keys[sample["id"]] = row.pk
    MeterValue.objects.all().delete()
    for item in MeterValueCorrection.objects.exclude(sample=None):
        item.meter_value_id, item.sample = keys[item.sample or 0], None
        item.charge_point = item.sampled_at = None
        item.save()
    for message in QuarantinedMessage.objects.exclude(undo=None):
        trail = dict(message.undo or {})
        for new, old in (("elements", "values"), ("joined_elements", "joined")):
            if new in trail:
                ids = set(trail.pop(new))
                trail[old] = [row for key, row in keys.items() if place_of(key)[0] in ids]
        message.undo = trail
        message.save()
    legacy.look_again()
    return week


@pytest.mark.slow
def test_everything_is_the_same_before_and_after_the_move() -> None:
    week = week_of_before()
    before = {name: outcome(week, action) for name, action in ACTIONS.items()}
    pages = outcome(week, ACTIONS["nothing"], pages=True)
    keys = list(Samples.objects.values_list("id", "raw_value"))
    move_all()
    assert not LegacySample.objects.exists()
    assert not MeterValue.objects.exists()
    assert not MeterValueCorrection.objects.exclude(meter_value=None).exists()
    assert list(Samples.objects.values_list("id", "raw_value")) == keys
    assert_same(outcome(week, ACTIONS["nothing"], pages=True), pages)
    for name, action in ACTIONS.items():
        assert_same(outcome(week, action), before[name])


@pytest.mark.slow
def test_a_move_that_is_killed_at_any_statement_loses_and_doubles_nothing() -> None:
    week = week_of_before()
    before = seen(week)
    undone = outcome(week, ACTIONS["undo made"])
    died = 0
    while True:
        left = [died + 1]

        def dies(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
            left[0] -= 1  # noqa: B023
            if left[0] == 0:  # noqa: B023
                raise Killed
            return execute(sql, params, many, context)

        try:
            with connection.execute_wrapper(dies):
                Mover().step(last_moment(), KEPT)
        except Killed:
            died += 1
        if left[0] > 0:
            break
        assert sum(1 for _ in Samples.objects) == len(before["samples"])
    assert died > 8
    assert_same(seen(week), before)
    move_all()
    assert_same(seen(week), before)
    assert_same(outcome(week, ACTIONS["undo made"]), undone)


def test_a_worker_of_the_release_before_that_goes_on_writing_is_seen_within_a_minute() -> None:
    week = Week()
    assert legacy.is_empty()
    names = [name for name in FIELDS if name != "id"]
    sample = Samples.objects.filter(transaction=week.sessions["plain"]).values(*names)[0]
    count = Samples.objects.count()
    LegacySample.objects.create(**{**sample, "raw_value": "4711", "value": Decimal(4711)})
    assert Samples.objects.count() == count
    legacy.look_again()
    assert Samples.objects.count() == count + 1


@pytest.mark.slow
def test_samples_of_a_long_session_move_in_short_steps() -> None:
    """A MeterValue is never torn apart."""
    week = Week()
    charger = week.one.row
    pk = week.sessions["plain"]
    at_first = Samples.objects.filter(transaction=pk).count()
    start = week.one.now
    LegacySample.objects.bulk_create(
        LegacySample(
            charge_point=charger,
            connector=1,
            transaction_id=pk,
            sampled_at=start + timedelta(minutes=minute),
            received_at=start + timedelta(minutes=minute),
            measurand=f"M{number}",
            raw_value=str(minute * number),
            value=minute * number,
        )
        for minute in range(600)
        for number in range(3)
    )
    legacy.look_again()
    before = seen(week)
    steps = []
    mover = Mover()
    while step := mover.step(last_moment(), KEPT):
        steps.append(step)
    assert max(steps) <= 500
    assert_same(seen(week), before)
    assert not LegacySample.objects.exists()
    assert Samples.objects.filter(transaction=pk).count() == at_first + 1800
    kept = SampleTrace.objects.filter(transaction=pk).values_list("elements", flat=True)
    assert sum(kept) == 600 + 41
