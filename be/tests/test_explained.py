"""What Levity's commands have in common."""

import pytest
from django.core.management import CommandError, get_commands, load_command_class

from levity.explained import ExplainedCommand, read_file


def test_the_help_of_each_ends_with_its_examples_as_they_were_written():
    ours = {name: app for name, app in get_commands().items() if str(app).startswith("levity.")}
    commands = {name: load_command_class(app, name) for name, app in ours.items()}
    explained = {
        name: each for name, each in commands.items() if isinstance(each, ExplainedCommand)
    }
    assert len(explained) > 10
    for name, command in explained.items():
        assert command.examples
        assert command.create_parser("levity", name).format_help().endswith(command.examples)


def test_a_file_that_can_not_be_read_is_named(tmp_path):
    with pytest.raises(CommandError, match=r"nothing\.csv: No such file"):
        read_file(str(tmp_path / "nothing.csv"))
