"""The help of every command: what it must have, and how it is laid out."""

from __future__ import annotations

import shlex
from typing import Any

import pytest
import typer

from hpsearch.cli import app
from hpsearch.cli.base.help import Group, Kind, help_text, parameter_row
from tests.harness.commands import call_here

PROGRAM: Any = typer.main.get_command(app)
COMMANDS: dict[str, Any] = PROGRAM.commands


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_has_a_sentence_two_examples_and_a_group_for_every_option(name: str) -> None:
    command = COMMANDS[name]
    assert command.rich_help_panel in list(Kind)
    assert help_text(command).sentences[0].endswith(".")
    assert len(help_text(command).examples) >= 2
    for parameter in command.params:
        assert parameter.help, parameter.name
        if parameter.param_type_name == "option":
            assert parameter.rich_help_panel in list(Group), parameter.name
        if parameter.param_type_name == "argument" or not parameter.is_flag:
            assert parameter.metavar, parameter.name


@pytest.mark.parametrize("name", COMMANDS)
def test_examples_are_calls_of_the_command(name: str) -> None:
    for example in help_text(COMMANDS[name]).examples:
        words = shlex.split(example)
        assert words[:4] == ["python", "-m", "hpsearch", name]
        COMMANDS[name].make_context(name, words[4:])  # refuses unknown options and values


def test_examples_of_the_program_are_calls_of_commands() -> None:
    for example in help_text(PROGRAM).examples:
        name, *words = shlex.split(example)[3:]
        COMMANDS[name].make_context(name, words)


@pytest.mark.parametrize("columns", [40, 80, 200])
@pytest.mark.parametrize("name", COMMANDS)
def test_no_line_is_too_long_and_no_text_is_broken_or_cut(name: str, columns: int) -> None:
    shown = call_here(name, "--help", env={"COLUMNS": str(columns), "NO_COLOR": "1"}).stdout
    assert shown.isascii()
    assert max(map(len, shown.splitlines())) <= 80
    joined = " ".join(shown.split())
    command = COMMANDS[name]
    for text in help_text(command).sentences:
        assert text in joined
    for row in map(parameter_row, command.params):
        assert " ".join(row) in joined
    for example in help_text(command).examples:
        assert f"\n  {example}\n" in shown


def test_the_list_of_commands_has_a_whole_sentence_in_a_line_for_each() -> None:
    shown = call_here("--help", env={"COLUMNS": "80"}).stdout
    assert max(map(len, shown.splitlines())) <= 80
    for name, command in COMMANDS.items():
        assert f"\n  {name:<9}  {help_text(command).sentences[0]}\n" in shown


def test_a_name_is_asked_for_by_the_word_that_the_usage_has() -> None:
    done = call_here("reproduce", "quickstart")
    assert done.returncode == 2
    assert "reproduce [OPTIONS] STUDY TRIAL\n" in done.stderr
    assert "Missing argument 'TRIAL'" in done.stderr
