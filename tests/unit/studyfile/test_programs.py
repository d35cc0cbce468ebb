"""What is wrong with [program] and [programs.NAME], each with its key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.studyfile.reading import read_study
from tests.harness.programs import CHECKPOINT, STUDY, study_of, write_study
from tests.harness.study_mistakes import message

GOOD = 'command = ["sh", "x", "{lr}"]'


def test_a_program_is_read_with_all_that_it_says(tmp_path: Path) -> None:
    lines = ("env = { A = 'b' }", "threads = 2", "folds = 3", "log_mb = 0.5", "first_epoch = 0")
    path = study_of(tmp_path, *lines, checkpoint=True)
    read = read_study(path)
    program = read.programs["program"]
    assert program.command[:3] == ("awk", "-v", "lr={lr}")
    assert program.metrics == ("loss",)
    assert program.checkpoint == "{folder}/checkpoint"
    assert program.workdir == str(tmp_path.resolve())
    assert (program.form, program.threads, program.log_mb) == ("json-lines", 2, 0.5)
    assert program.env == {"A": "b"}
    assert program.first_epoch == 0
    assert read.selection.folds == 3
    assert [*read.code] == ["train.awk"]  # what it names is watched for changes


@pytest.mark.parametrize(
    ("command", "folds", "doubtful"),
    [
        ('["sh", "x", "{lr}", "{fold}"]', "", True),
        ('["sh", "x", "{lr}", ["--fold", "{fold}"]]', "", True),
        ('["sh", "x", "{lr}", "{fold}"]', "folds = 1", False),
        ('["sh", "x", "{lr}", "{fold}"]', "folds = 3", False),
        ('["sh", "x", "{lr}"]', "", False),
    ],
)
def test_a_command_with_a_fold_and_no_number_of_folds_is_doubted(
    tmp_path: Path, command: str, folds: str, doubtful: bool
) -> None:
    doubts = read_study(write_study(tmp_path, f"command = {command}", folds)).file.doubts
    assert len(doubts) == doubtful
    if doubts:
        assert "program.folds is not set: every trial runs fold 0 only" in doubts[0]
        assert "Write folds = 5" in doubts[0]


def test_a_pattern_is_shown_as_it_stands_in_the_file(tmp_path: Path) -> None:
    path = write_study(tmp_path, GOOD, r"metrics = { pattern = 'loss (\d' }")
    assert r"got 'loss (\d'" in message(path)
    path = write_study(tmp_path, GOOD, r"""metrics = { pattern = "it's (\\d" }""")
    assert r"""got "it's (\\d""" in message(path)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['command = ["x", "{lrr}", "{lr}"]'], "got 'lrr' (did you mean 'lr'?)"),
        (['command = ["x", "{lr}", "{epoch}"]'], "got 'epoch' (did you mean 'epochs'?)"),
        (
            ['command = ["x"]'],
            "space.lr: must be passed to program: put {lr} into program.command",
        ),
        (['command = ["x", "{lr}", "{checkpoint}"]'], "program.checkpoint: is missing"),
        ([GOOD, 'test = ["x", "{checkpoint}"]'], "program.checkpoint: is missing"),
        ([GOOD, 'test = ["x", "{weights}"]'], "program.test: must be one of lr, epochs"),
        (['command = ["x", "{lr"]'], "program.command: must have a name in braces; a brace"),
        (
            ['command = ["x", "{lr?}"]'],
            "must have {lr?} as a separate word in a list of words: ",
        ),
        (['command = ["x", ["--lr={lr?}"]]'], 'words: write ["--lr", "{lr?}"]'),
        (['command = [["x"], "{lr}"]'], "program.command: must begin with the program"),
        (["command = []"], "program.command: must be a list of words such as"),
        (['command = ["x", 3]'], "program.command: must be a list of words such as"),
        (['command = "x {lr}"'], "program.command: must be a list of words, got 'x {lr}'"),
        (['command = ["x {lr}"]', "shell = true"], "program.command: must be a text"),
        ([GOOD, "metrics = { pattern = 'loss (.*)' }"], "must have a named group for a metric"),
        ([GOOD, "metrics = { pattern = '(?P<epoch>.)' }"], "must have a named group for a metric"),
        ([GOOD, "metrics = { pattern = 'loss (' }"], "must be a regular expression: missing )"),
        (
            [GOOD, "metrics = { pattern = 'loss (?P<val>.)' }"],
            "must have a named group for the metric 'loss', got those of val",
        ),
        (
            [GOOD, CHECKPOINT, "metrics = { pattern = 'loss (?P<loss>.)' }"],
            "program.metrics.pattern: must have a group named epoch, because the program resumes",
        ),
        (
            [GOOD, "metrics = { csv = '{epochs}.csv' }"],
            "program.metrics.csv: must be one of folder",
        ),
        ([GOOD, 'checkpoint = "/tmp/x"'], "program.checkpoint: must lie in {folder}"),
        (
            [GOOD, 'checkpoint = "{folder}/{lr}"'],
            "program.checkpoint: must be one of folder, fold",
        ),
        ([GOOD, 'checkpoint = "{folder}/{"'], "a brace itself is doubled"),
        ([GOOD, 'metrics = "TODO"'], 'program.metrics: must be "json-lines", or a table'),
        (['command = ["x", "{lr}", "{TODO_data}"]'], "got 'TODO_data'"),
        ([GOOD, "first_epoch = 2"], "program.first_epoch: must be one of 0, 1, got '2'"),
        ([GOOD, "comand = 1"], "got 'comand' (did you mean 'command'?)"),
        ([GOOD, "folds = 0"], "program.folds: must be greater than or equal to 1"),
        (
            [GOOD, 'mlflow = "link"', 'env = { MLFLOW_TRACKING_URI = "x" }'],
            'program.env.MLFLOW_TRACKING_URI: must be left out beside mlflow = "link"',
        ),
    ],
)
def test_a_mistake_is_said(tmp_path: Path, lines: list[str], said: str) -> None:
    assert said in message(write_study(tmp_path, *lines))


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("data={name='digits'}", "data: must be left out beside a program"),
        ("network={name='two-layer'}", "network: must be left out"),
        ("evaluation={per_class=true}", "evaluation.per_class: must be left out"),
        ("space.trainer={choices=['program','sgd']}", "space.trainer: must all be programs"),
        ("space.trainer='programs.torch'", "got 'programs.torch' (did you mean 'program'?)"),
        ("space.trainer='sgd'", "program: must be a trainer of [space]"),
        ("space.extra={low=0.0, high=1.0}", "space.extra: must be passed to program"),
        ("space.fixed=3", "space.fixed: must be passed to program"),
        ("program.shared='mnt'", "program.shared: must be an absolute path"),
        ("protocol='papers'", "protocol: must be"),
    ],
)
def test_what_does_not_fit_a_program_is_said(tmp_path: Path, override: str, said: str) -> None:
    assert said in message(write_study(tmp_path, GOOD), override)


CONDITIONAL = (
    "space.optimizer={choices=['sgd','adam']}",
    "space.momentum={low=0.0, high=1.0, when={optimizer='sgd'}}",
)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (['command = ["x", "{lr}", "{optimizer}", ["-m", "{momentum}"]]'], ""),
        (['command = ["x", "{params_json}"]'], ""),
        (
            ['command = ["x", "{lr}", "{optimizer}", "-m={momentum}"]'],
            'because not every trial has it: write ["--momentum={momentum}"]',
        ),
        (
            ['command = "x {lr} {optimizer} {momentum}"', "shell = true"],
            "leave shell out, or pass {params_json}",
        ),
    ],
)
def test_what_not_every_trial_has_is_in_a_group(
    tmp_path: Path, lines: list[str], said: str
) -> None:
    path = write_study(tmp_path, *lines)
    if said:
        assert said in message(path, *CONDITIONAL)
    else:
        read_study(path, CONDITIONAL)


def several(folder: Path, *tables: str) -> Path:
    path = folder / "small.toml"
    trainer = "trainer = { choices = ['programs.a', 'programs.b'] }"
    text = STUDY.replace('trainer = "program"', trainer)
    path.write_text(text.replace("[program]\nPROGRAM", "\n".join(tables)))
    return path


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ((f"[programs.a]\n{GOOD}", f"[programs.b]\n{GOOD}"), ""),
        (
            (f"[programs.a]\n{GOOD}", f"[programs.b]\n{GOOD}\nfolds = 2"),
            "programs.b.folds: must be the same for all programs",
        ),
        ((f"[programs.a]\n{GOOD}",), "space.trainer: must be one of programs.a, got 'programs.b'"),
        (
            (f"[programs.a]\n{GOOD}", "[programs.b]\ncomand = []"),
            "programs.b.comand: must be one of command",
        ),
        (
            (f"[programs.a]\n{GOOD}", "[programs.b]\ncommand = ['x']"),
            'give it a when = { trainer = "…" } without "programs.b"',
        ),
        (
            (f"[programs.a]\n{GOOD}", f"[programs.b]\n{GOOD}", f"[programs.c]\n{GOOD}"),
            "programs.c",
        ),
    ],
)
def test_several_programs(tmp_path: Path, tables: tuple[str, ...], said: str) -> None:
    path = several(tmp_path, *tables)
    if said:
        assert said in message(path)
    else:
        assert [*read_study(path).programs] == ["programs.a", "programs.b"]


def test_a_hyperparameter_is_not_called_as_what_is_given(tmp_path: Path) -> None:
    path = write_study(tmp_path, 'command = ["sh", "x", "{lr}", "{epochs}"]')
    path.write_text(
        path.read_text().replace("[[stages]]", "epochs = { low = 1, high = 9 }\n[[stages]]", 1)
    )
    found = message(path)
    assert "space.epochs: must have another name, as {epochs} stands for something else" in found


def test_scripts_are_watched_and_data_is_not(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("#!/bin/sh\n")
    (tmp_path / "helper.py").write_text("import beside\n")
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "cache.txt").write_text("")
    said = 'command = ["sh", "x", "{lr}", "helper.py", "cache.txt"]'
    assert {*read_study(write_study(tmp_path, said)).code} == {"x", "helper.py", "beside.py"}
    line = 'command = "sh x {lr} # it\'s data: cache.txt"'
    assert {*read_study(write_study(tmp_path, line, "shell = true")).code} == {"x"}
