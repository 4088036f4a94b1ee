"""Operations of a migration after which the models are rendered once, as migrations use them."""

from typing import Any

import pytest
from django.db import connection, models
from django.db.migrations import operations as of
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState, StateApps

from levity.db.together import together

OURS = ("accounts", "api", "billing", "files", "integrations", "ocpp", "operation")


def table(name: str, **fields: "models.Field[Any, Any]") -> of.CreateModel:
    return of.CreateModel(name, [("id", models.BigAutoField(primary_key=True)), *fields.items()])


def to(model: str) -> "models.ForeignKey[Any, Any]":
    return models.ForeignKey(f"yard.{model}", models.CASCADE, related_name="+")


def fleet() -> list[Operation]:
    """Three tables, the first of which refers to the last."""
    car = table("Car", bay=models.IntegerField(), owner=to("Owner"))
    car.options["indexes"] = [models.Index(fields=["bay"], name="car_in_bay")]
    return [car, table("Trip", car=to("Car")), table("Owner")]


def migration(*operations: Operation) -> Migration:
    made = Migration("0001_initial", "yard")
    made.operations = list(operations)
    return made


def tables() -> set[str]:
    found = connection.introspection.table_names()
    return {name for name in found if name.startswith("yard_")}


def indexes_of(name: str) -> Any:
    with connection.cursor() as cursor:
        return connection.introspection.get_constraints(cursor, name)


@pytest.mark.django_db(transaction=True)
def test_tables_are_made_and_unmade_with_one_rendering(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each alone would render again all that is related to it."""
    rendered: list[int] = []
    multiple = StateApps.render_multiple

    def counted(self: StateApps, states: Any) -> None:
        rendered.extend([len(states)] if states else [])
        multiple(self, states)

    made = migration(*together(*fleet()))
    state = ProjectState()
    assert not state.apps.get_models()
    monkeypatch.setattr(StateApps, "render_multiple", counted)
    with connection.schema_editor() as editor:
        after = made.apply(state, editor)
    assert tables() == {"yard_car", "yard_trip", "yard_owner"}
    assert rendered == [3]
    assert indexes_of("yard_car")["car_in_bay"]["orders"] == ["ASC"]
    assert {model.__name__ for model in after.apps.get_models()} == {"Car", "Trip", "Owner"}

    exchanged = migration(
        *together(
            of.RemoveIndex("Car", "car_in_bay"),
            of.AddIndex("Car", models.Index(fields=["-bay"], name="car_in_bay")),
        )
    )
    with connection.schema_editor() as editor:
        exchanged.apply(after, editor)
    assert indexes_of("yard_car")["car_in_bay"]["orders"] == ["DESC"]

    with connection.schema_editor() as editor:
        made.unapply(ProjectState(), editor)
    assert tables() == set()


def test_what_needs_the_models_of_its_moment_is_refused() -> None:
    """On SQLite, the second of two new columns would drop the first one."""
    added = of.AddField("Car", "seats", models.IntegerField(default=4))
    states = of.SeparateDatabaseAndState(state_operations=[added])
    together(*fleet(), states)
    with pytest.raises(TypeError, match=r"can.t be done together: .*AddField"):
        together(*fleet(), added)
    with pytest.raises(TypeError, match="SeparateDatabaseAndState"):
        together(of.SeparateDatabaseAndState(database_operations=[added]))
    with pytest.raises(TypeError, match="AddIndex"):
        together(*fleet(), of.AddIndex("Car", models.Index(fields=["id"], name="car_id")))


def test_what_migrate_plan_says_names_each_of_them() -> None:
    [operation] = together(*fleet())
    said = operation.describe()
    assert said == "Create model Car; Create model Trip; Create model Owner"


def test_no_migration_creates_several_tables_one_by_one() -> None:
    """That was most of what a new installation cost."""
    one_by_one = {
        key: names
        for key, each in MigrationLoader(None).disk_migrations.items()
        if key[0] in OURS and len(names := _created_alone(each)) > 1
    }
    assert one_by_one == {}


def _created_alone(migration: Migration) -> list[str]:
    return [each.name for each in migration.operations if isinstance(each, of.CreateModel)]
