"""What a program is started with: its words, its environment, and the line to do it by hand."""

from __future__ import annotations

import json
import os
import platform
import shlex
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from hpsearch.hyperparameters import ParamValue
from hpsearch.processes import birth
from hpsearch.records.seed_key import SeedKey
from hpsearch.reporting import IN_TRIAL
from hpsearch.trainers import Member
from hpsearch.trainers.commands import Program
from hpsearch.trainers.programs import program_process
from hpsearch.trainers.programs.program_process import end_noted, ended_by, problem_of, was_cut
from hpsearch.trainers.programs.program_start import (
    PLUGIN,
    argv_of,
    environment_of,
    shell_line,
    values_of,
)

PROGRAM = Program(command=("run", "{lr}"), metrics=("loss",), workdir="/w")


def member(program: Program = PROGRAM, folder: str = "/f") -> Member:
    params: dict[str, ParamValue] = {"trainer": "program", "lr": 0.1, "flag": True}
    return Member(params, SeedKey(1, 2, 0, 0), 1, folder=folder, program=program)


def test_names_stand_for_what_the_trial_has() -> None:
    program = replace(PROGRAM, checkpoint="{folder}/c-{fold}")
    values = values_of(member(program), until=3, n_epochs=9)
    seed = values.pop("seed")
    assert 0 <= seed < 2**31
    assert seed == values_of(member(), until=5, n_epochs=9)["seed"]
    assert values == {
        "lr": 0.1,
        "flag": True,
        "epochs": 3,
        "n_epochs": 9,
        "fold": 1,
        "folder": "/f",
        "checkpoint": "/f/c-1",
        "gpu": "",
        "purpose": "search",
        "params_json": "/f/params.json",
    }


@pytest.mark.parametrize(
    ("active", "word", "started"),
    [
        ("", "python", sys.executable),
        ("", "python3", sys.executable),
        ("", "python3.9", "python3.9"),
        ("VIRTUAL_ENV", "python", "python"),
        ("CONDA_PREFIX", "python3", "python3"),
    ],
)
def test_python_is_that_of_the_active_environment(
    monkeypatch: pytest.MonkeyPatch, active: str, word: str, started: str
) -> None:
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    if active:
        monkeypatch.setenv(active, "/env")
    assert argv_of(PROGRAM, (word, "python"), {}) == [started, "python"]


def test_a_shell_gets_one_line() -> None:
    shell = replace(PROGRAM, shell=True)
    assert argv_of(shell, ("run {a} | tee {{x}}",), {"a": "b c"}) == [
        "/bin/sh",
        "-c",
        "run 'b c' | tee {x}",
    ]


def test_an_environment_is_inherited_but_for_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_RUN_ID", "ours")
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.setenv("KEPT", "yes")
    program = replace(PROGRAM, env={"A": "b", "PYTHONUNBUFFERED": ""}, threads=3)
    found = environment_of(program, Path("/f"), "confirm")
    assert (found["KEPT"], found["A"], found[IN_TRIAL]) == ("yes", "b", "confirm")
    assert found["OMP_NUM_THREADS"] == "3"
    assert found["PYTHONUNBUFFERED"] == ""  # what the study file says counts
    assert "MLFLOW_RUN_ID" not in found
    assert "/f" in found["MLFLOW_TRACKING_URI"]


def test_a_programs_own_path_of_modules_comes_before_our_plugin() -> None:
    found = environment_of(replace(PROGRAM, env={"PYTHONPATH": "/mine"}), Path("/f"), "search")
    assert found["PYTHONPATH"] == f"/mine{os.pathsep}{PLUGIN}"
    without = environment_of(replace(PROGRAM, env={"PYTHONPATH": ""}), Path("/f"), "search")
    assert without["PYTHONPATH"] == str(PLUGIN)  # an empty entry would be the current folder


def test_the_line_to_run_it_by_hand() -> None:
    program = replace(PROGRAM, command=("run", "--lr={lr}", "{params_json}"), env={"A": "b c"})
    line = shell_line(member(program, "/a b"), until=3, n_epochs=9)
    steps = line.split(" && ")
    assert steps[:2] == ["cd /w", "mkdir -p '/a b'"]
    _, _, said, _, to = shlex.split(steps[2])
    assert json.loads(said)["lr"] == 0.1
    assert to == "/a b/params.json"
    words = shlex.split(steps[3])
    assert "A=b c" in words
    assert words[-3:] == ["run", "--lr=0.1", "/a b/params.json"]


@pytest.mark.parametrize(
    ("code", "said"),
    [
        (3, "ended with exit code 3"),
        (-11, "was ended by SIGSEGV"),
        (-9, "was ended by SIGKILL (the machine's memory may have been full)"),
        (-99, "was ended by signal 99"),
    ],
)
def test_how_it_ended_is_told(code: int, said: str) -> None:
    assert ended_by(code) == said


@pytest.mark.parametrize(
    ("text", "mode", "said"),
    [
        ("#!/bin/sh\n", 0o755, ""),
        ("#! /usr/bin/env sh\n", 0o755, ""),
        ("#!/usr/bin/env -S sh -e\n", 0o755, ""),
        ("", 0o755, ""),
        ("#!/bin/sh\n", 0o644, "./run must be executable: chmod +x ./run"),
        ("#!/bin/sh\r\n", 0o755, "./run must have its interpreter, got none at '/bin/sh\\r'"),
        ("#!/usr/bin/env none-such\n", 0o755, "got none at 'none-such'"),
    ],
)
def test_what_keeps_a_script_from_starting(
    tmp_path: Path, text: str, mode: int, said: str
) -> None:
    (tmp_path / "run").write_bytes(text.encode())
    (tmp_path / "run").chmod(mode)
    found = problem_of(["./run"], str(tmp_path), {"PATH": "/usr/bin:/bin"})
    assert said in found
    assert bool(said) == bool(found)


def test_a_program_of_another_machine_is_given_the_time_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its guard ends it there; a process of the same number here is another one."""
    waits: list[float] = []
    ended: list[int] = []
    monkeypatch.setattr("time.sleep", waits.append)
    monkeypatch.setattr(program_process, "end_group", ended.append)
    note = tmp_path / "process.json"
    process = {"pid": os.getpid(), "birth": birth(os.getpid())}
    for host in ("elsewhere", platform.node()):
        note.write_text(json.dumps({**process, "host": host}))
        end_noted(note)
        end_noted(note)
        assert was_cut(note)
    assert len(waits) == 1
    assert waits[0] > program_process.GRACE_SECONDS
    assert ended == [os.getpid()] * 2
    note.write_text(json.dumps(process))  # of an older version, which wrote it on this machine
    end_noted(note)
    assert ended == [os.getpid()] * 3
