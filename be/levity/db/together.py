"""Operations of a migration after which the models are rendered once.

After each of its operations, Django renders all models that are related to what was changed. Here
that is nearly all of them, and it was most of what `levity migrate` cost on an empty database.
"""

from collections.abc import Collection
from typing import Any

from django.db.migrations.operations import (
    AddIndex,
    AlterModelOptions,
    CreateModel,
    RemoveIndex,
    SeparateDatabaseAndState,
)
from django.db.migrations.operations.base import Operation

__all__ = ["Together", "together"]


class Together(Operation):
    """Do these in this order, such as creating tables. Tables may refer to later ones.

    Raises TypeError for an operation that needs the models as they are at that moment: one that can
    make a table anew, such as AddField; statements of SeparateDatabaseAndState; an index of a table
    that is created here (name it in its CreateModel).
    """

    def __init__(self, *operations: Operation) -> None:
        created = {each.name_lower for each in operations if isinstance(each, CreateModel)}
        if others := [each for each in operations if not _is_possible(each, created)]:
            raise TypeError(f"these operations can't be done together: {others}")
        self.operations = operations

    def state_forwards(self, app_label: str, state: Any) -> None:
        """Change the state, of which nothing is rendered until a statement needs it."""
        vars(state).pop("apps", None)
        state.is_delayed = False
        for operation in self.operations:
            operation.state_forwards(app_label, state)

    def database_forwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Each forwards."""
        for operation in self.operations:
            operation.database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(
        self, app_label: str, schema_editor: Any, from_state: Any, to_state: Any
    ) -> None:
        """Each backwards, the last one first."""
        for operation in reversed(self.operations):
            operation.database_backwards(app_label, schema_editor, from_state, to_state)

    def describe(self) -> str:
        """What `levity migrate --plan` says."""
        return "; ".join(operation.describe() for operation in self.operations)


def _is_possible(operation: Operation, created: Collection[str]) -> bool:
    if isinstance(operation, (AddIndex, RemoveIndex)):
        return operation.model_name_lower not in created
    if isinstance(operation, SeparateDatabaseAndState):
        return not operation.database_operations
    return isinstance(operation, (CreateModel, AlterModelOptions))


def together(*operations: Operation) -> list[Operation]:
    """These operations of a migration as one, for its list."""
    return [Together(*operations)]
