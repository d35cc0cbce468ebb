"""What a program of a user's own is started with: its words, its environment, its scripts."""

from __future__ import annotations

import json
import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from hpsearch.own_code import file_digest
from hpsearch.processes import thread_environment, without_our_package
from hpsearch.reporting import IN_TRIAL
from hpsearch.trainers.base import Member
from hpsearch.trainers.commands import (
    Command,
    Program,
    Purpose,
    arguments,
    filled,
    placeholders,
)

PARAMS = "params.json"  # in the folder of a member, what {params_json} names
# Variables by which MLflow finds its stores.
OF_MLFLOW = ("MLFLOW_RUN_ID", "MLFLOW_EXPERIMENT_ID", "MLFLOW_EXPERIMENT_NAME")
# Folders and scripts of programs on another machine, and where they were put on this one.
SENT: dict[tuple[str, tuple[tuple[str, str], ...]], str] = {}
FIRST_GPU = "0"  # for a line that is run by hand
PRIVATE_STORE = "mlflow.db"
# For the MLflow of a program's Python: keeps files of runs beside this store, not in ./mlruns.
PLUGIN = Path(__file__).parent / "mlflow_plugin"
PYTHON = ("python", "python3")
ENVIRONMENTS = ("VIRTUAL_ENV", "CONDA_PREFIX")  # what is active, whose Python is on PATH


def changed_files(program: Program) -> list[str]:
    """The scripts of a program that are not what they were when the study was started."""
    place = Path(SENT.get((program.workdir, program.files), program.workdir))
    return [name for name, digest in program.files if file_digest(place / name) != digest]


def seed_of(entropy: Sequence[int]) -> int:
    """Of a member: 31 bits, which a C program's int holds too."""
    return int(np.random.SeedSequence(entropy).generate_state(1)[0]) >> 1


def checkpoint_of(
    program: Program, folder: str, entropy: Sequence[int], fold: int, purpose: Purpose
) -> str:
    """Where the checkpoint of a member lies that has this folder."""
    known = {"folder": folder, "seed": seed_of(entropy), "fold": fold, "purpose": purpose}
    return filled(program.checkpoint or "", known)


def values_of(member: Member, *, until: int, n_epochs: int, gpu: str = "") -> dict[str, Any]:
    """What stands for the names in the commands of a member's program.

    Args:
        until: the length to reach.
        n_epochs: the full training length of the study.
        gpu: those of its slot.
    """
    assert member.program is not None
    params = {k: v for k, v in member.params.items() if k not in ("trainer", "network")}
    known: dict[str, Any] = {
        "epochs": until,
        "n_epochs": n_epochs,
        "seed": seed_of(member.entropy),
        "fold": member.split,
        "folder": member.folder,
        "gpu": gpu,
        "purpose": member.purpose,
        "params_json": str(Path(member.folder, PARAMS)),
    }
    if member.program.checkpoint is not None:
        known["checkpoint"] = checkpoint_of(
            member.program, member.folder, member.entropy, member.split, member.purpose
        )
    return {**params, **known}


def params_text(values: Mapping[str, Any]) -> str:
    """The content of the file that {params_json} names."""
    return json.dumps({k: v for k, v in values.items() if k != "params_json"}, indent=1)


def shell_line(member: Member, *, until: int, n_epochs: int) -> str:
    """The line for a shell that does what a study did to train a member to this length."""
    program = member.program
    assert program is not None
    values = values_of(member, until=until, n_epochs=n_epochs, gpu=FIRST_GPU)
    own = {IN_TRIAL: member.purpose, **thread_environment(program.threads), **program.env}
    words = " ".join(shlex.quote(word) for word in argv_of(program, program.command, values))
    settings = " ".join(f"{name}={shlex.quote(value)}" for name, value in own.items())
    folder = shlex.quote(member.folder)
    steps = [f"cd {shlex.quote(program.workdir)}", f"mkdir -p {folder}"]
    if any(one.name == "params_json" for one in placeholders(program.command)):
        path = shlex.quote(values["params_json"])
        steps.append(f"printf %s {shlex.quote(params_text(values))} > {path}")
    return " && ".join([*steps, f"env {settings} {words}"])


def private_store(folder: str) -> str:
    """The address of the store that MLflow calls of a member's code write to."""
    return f"sqlite:///{Path(folder).absolute()}/{PRIVATE_STORE}"


def has_private_store(folder: str) -> bool:
    """Whether any of them has written to it, and it is still there."""
    return Path(folder, PRIVATE_STORE).exists()


def note_of_runs(folder: str) -> str:
    """A line for a trial's log that says where these calls wrote; "" where there were none."""
    place = Path(folder, PRIVATE_STORE)
    return f"its MLflow runs are in {place}\n" if folder and place.exists() else ""


def argv_of(program: Program, command: Command, values: Mapping[str, Any]) -> list[str]:
    """The words to start a command with."""
    if program.shell:
        (line,) = command
        assert isinstance(line, str)
        return ["/bin/sh", "-c", filled(line, values, quote=True)]
    words = arguments(command, values)
    if words[0] in PYTHON and not any(name in os.environ for name in ENVIRONMENTS):
        words[0] = sys.executable  # hpsearch may run in an environment that is not active
    return words


def environment_of(program: Program, folder: Path, purpose: str) -> dict[str, str]:
    """The environment of a program."""
    inherited = without_our_package({k: v for k, v in os.environ.items() if k not in OF_MLFLOW})
    store = private_store(str(folder))
    path = program.env.get("PYTHONPATH", inherited.get("PYTHONPATH", ""))
    return {
        **inherited,
        **thread_environment(program.threads),
        "PYTHONUNBUFFERED": "1",  # a kill takes no line that was printed
        "MLFLOW_TRACKING_URI": store,
        "HPSEARCH_PRIVATE_STORE": store,  # for PLUGIN; the program may name another one
        IN_TRIAL: purpose,
        **program.env,
        "PYTHONPATH": os.pathsep.join(filter(None, [path, str(PLUGIN)])),
    }
