"""New study files of programs: TOML with what the program takes, and a comment for each guess."""

from __future__ import annotations

import tomllib
from pathlib import Path
from textwrap import dedent
from typing import Any

import optuna
import pytest
from optuna.samplers import RandomSampler

from hpsearch import init_program
from hpsearch.errors import StudyFileError
from hpsearch.studyfile.listing import list_studies, purpose
from hpsearch.studyfile.reading import read_study
from hpsearch.trainers.commands import arguments
from tests.harness.commands import call_here
from tests.harness.study_mistakes import message

TRAIN = """
    import argparse, json, wandb
    raise SystemExit("it was run")
    p = argparse.ArgumentParser()
    p.add_argument("--lr", type=float, default=1e-3, help="its\\x1b rate")
    p.add_argument("--opt", choices=["adam", "sgd"], default="adam")
    p.add_argument("--nesterov", action="store_true")
    p.add_argument("--epochs", type=int, default=90)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--data", default="./data")
    p.add_argument("--verbose", action="store_true")
    p.add_argument("--checkpoint")
    p.add_argument("--eval", action="store_true")
    args = p.parse_args()
    print(json.dumps({"epoch": 1, "loss": 0.3, "val_acc": 0.9}))
"""


def script(folder: Path, text: str, name: str = "train.py") -> Path:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(dedent(text))
    return path


def study(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text())


def test_a_program_with_all_that_a_study_needs(tmp_path: Path) -> None:
    path = tmp_path / "my study.toml"
    made = init_program(path, script=script(tmp_path, TRAIN))
    assert made.todo == ()
    assert made.source == "argparse"
    assert made.text == path.read_text()
    assert study(path) == {
        "name": "my-study",
        "seed": 0,
        "objective": {"metric": "val_acc", "direction": "maximize"},
        "program": {
            "command": [
                "python",
                "train.py",
                "--lr={lr}",
                "--opt={opt}",
                ["--nesterov", "{nesterov?}"],
                "--epochs={epochs}",
                "--seed={seed}",
                "--data=./data",
                "--checkpoint={checkpoint}",
            ],
            "metrics": "json-lines",
            "checkpoint": "{folder}/checkpoint",
            "env": {"WANDB_MODE": "offline"},
            "workdir": ".",
        },
        "space": {
            "trainer": "program",
            "lr": {"low": 1e-4, "high": 1e-2, "log": True, "default": 1e-3},
            "opt": {"choices": ["adam", "sgd"], "default": "adam"},
            "nesterov": {"choices": [True, False], "default": False},
        },
        "stages": [{"trials": 24, "epochs": 30}, {"trials": 12, "epochs": 90}],
    }
    assert '# test = ["python", "train.py", "--eval", "{checkpoint}"]' in made.text
    guessed = [line for line in made.text.splitlines() if line.startswith(("lr ", "    "))]
    assert all("#" in line for line in guessed[1:])


SCRIPTS = {
    "argparse": """
        import argparse
        p = argparse.ArgumentParser()
        p.add_argument("--hidden", type=int, default=64)
        p.add_argument("--layers", type=int, default=2)
        p.add_argument("--width", type=int, choices=[16, 32], default=16)
        p.add_argument("--dropout", type=float, default=0.1)
        p.add_argument("--fold", type=int, default=0)
        p.add_argument("--epochs", type=int, default=9)
        args = p.parse_args()
        print(f"epoch {e} val_acc {a}")
    """,
    "click": """
        import click, hpsearch

        @click.command()
        @click.option("--lr", default=0.1)
        @click.option("--units", default=10)
        @click.option("--fast/--slow", default=False)
        @click.option("--kind", type=click.Choice(["a", "b"]), default="a")
        def main(lr, units, fast, kind):
            hpsearch.report(val_loss=1.0)
    """,
    "typer": """
        import typer, json

        def main(lr: float = 0.01, depth: int = 4, epochs: int = 20, seed: int = 0):
            print(json.dumps({"epoch": 1, "val_loss": 1.0}))

        typer.run(main)
    """,
}


@pytest.mark.parametrize(
    ("more", "line", "folds"),
    [
        ("", "# folds = 5 ", 1),
        (", help='0..3'", "folds = 4 ", 4),
        (", choices=[0, 1, 2]", "folds = 3 ", 3),
    ],
)
def test_a_program_with_folds_gets_their_number(
    tmp_path: Path, more: str, line: str, folds: int
) -> None:
    option = '"--fold", type=int, default=0'
    text = SCRIPTS["argparse"].replace(option, f"{option}{more}")
    made = init_program(tmp_path / "a.toml", script=script(tmp_path, text))
    assert any(found.startswith(line) for found in made.text.splitlines())
    file = read_study(tmp_path / "a.toml").file
    assert (file.n_splits, bool(file.doubts)) == (folds, folds == 1)


def test_the_purpose_is_a_placeholder_until_somebody_writes_it(tmp_path: Path) -> None:
    made = init_program(tmp_path / "a.toml", script=script(tmp_path, SCRIPTS["argparse"]))
    assert made.text.startswith("# TODO: describe the purpose")
    assert list_studies(tmp_path) == [(tmp_path / "a.toml", "")]
    assert purpose("# Which optimizer is best?\n# TODO\nname = 'a'") == "Which optimizer is best?"
    assert purpose("# a.py: describe the purpose of this study here.\n# More") == ""


@pytest.mark.parametrize("name", SCRIPTS)
def test_what_is_written_is_a_study(tmp_path: Path, name: str) -> None:
    made = init_program(tmp_path / "a.toml", script=script(tmp_path, SCRIPTS[name]))
    assert made.todo == ()
    read = read_study(tmp_path / "a.toml")
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    drawn = read.space.suggest(optuna.create_study(sampler=RandomSampler(seed=0)).ask())
    whole = {"hidden", "layers", "width", "units", "depth"} & {*drawn}
    assert whole
    assert all(type(drawn[key]) is int for key in whole)
    words = arguments(
        read.programs["program"].command, {**drawn, "epochs": 2, "seed": 1, "fold": 0}
    )
    assert words[:2] == ["python", "train.py"]
    assert not any("{" in word for word in words)


@pytest.mark.parametrize("left", ["TODO_data", "TODO"])
def test_no_study_starts_with_what_is_to_do(tmp_path: Path, left: str) -> None:
    init_program(tmp_path / "a.toml", script=script(tmp_path, TRAIN))
    text = (tmp_path / "a.toml").read_text()
    if left == "TODO":
        text = text.replace('metrics = "json-lines"', 'metrics = "TODO"')
    else:
        text = text.replace("./data", "{TODO_data}")
    (tmp_path / "a.toml").write_text(text)
    key = "program.command" if left == "TODO_data" else "program.metrics"
    assert f"{key}: must be" in message(tmp_path / "a.toml")


def test_what_only_a_person_knows_is_to_do(tmp_path: Path) -> None:
    text = 'import argparse\nargparse.ArgumentParser().add_argument("--data", required=True)'
    path = tmp_path / "a.toml"
    made = init_program(path, script=script(tmp_path, text))
    assert made.todo == (
        "a value of --data",
        "how the program reports its metrics",
        "the metric of the objective",
        "what is searched",
    )
    file = study(path)
    assert file["program"]["command"][-1] == "--data={TODO_data}"
    assert file["program"]["metrics"] == "TODO"
    assert file["stages"] == [{"trials": 24, "epochs": 1}]
    assert "each trial is one complete run" in made.text


def test_a_metric_of_ones_own_and_a_line_of_text(tmp_path: Path) -> None:
    text = dedent(TRAIN).replace("print(json", "print(f'epoch {e} - f1: {f}')  # (json")
    path = tmp_path / "a.toml"
    made = init_program(path, script=script(tmp_path, text), metric="val_loss")
    assert made.todo == ("a pattern with the metric val_loss",)
    file = study(path)
    assert file["objective"] == {"metric": "val_loss", "direction": "minimize"}
    assert file["program"]["metrics"] == {
        "pattern": r"epoch (?P<epoch>\d+) - f1: (?P<f1>[-+.\w]+)"
    }
    assert "not found in the program's output" in path.read_text()


def test_where_it_is_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = script(tmp_path / "code", TRAIN)
    (tmp_path / "studies").mkdir()
    path = tmp_path / "studies" / "a.toml"
    init_program(path, script=program)
    assert study(path)["program"]["workdir"] == "../code"
    assert study(path)["program"]["command"][1] == "train.py"
    path.unlink()
    monkeypatch.chdir(tmp_path)
    init_program(path, script="code/train.py")
    assert study(path)["program"]["workdir"] == ".."
    assert study(path)["program"]["command"][1] == "code/train.py"


def test_options_may_stand_in_a_module_beside_it(tmp_path: Path) -> None:
    script(tmp_path, TRAIN, "options_of_it.py")
    program = script(tmp_path, "from options_of_it import args\nraise SystemExit('it was run')")
    made = init_program(tmp_path / "a.toml", script=program)
    assert made.source == "argparse in options_of_it.py"
    assert "lr" in study(tmp_path / "a.toml")["space"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "must be a readable program, got .*No such file"),
        ("", "must be a program, got an empty file"),
        (" \n", "must be a program, got an empty file"),
        ("def (", "must be valid Python, got: .*line 1"),
        ("import json\nwhile True: pass", "must have options, got none in its text"),
    ],
)
def test_what_is_no_program_with_options_is_one_line(
    tmp_path: Path, text: str | None, message: str
) -> None:
    program = tmp_path / "train.py"
    if text is not None:
        program.write_text(text)
    before = sorted(tmp_path.iterdir())
    with pytest.raises(StudyFileError, match=message) as caught:
        init_program(tmp_path / "a.toml", script=program)
    assert "\n" not in str(caught.value)
    assert sorted(tmp_path.iterdir()) == before


def test_other_programs_that_cannot_be_asked(tmp_path: Path) -> None:
    for name, said in (("train.sh", "must have options"), ("train", "can be run")):
        program = script(tmp_path, "sleep 1000\n", name)
        with pytest.raises(StudyFileError, match=said):
            init_program(tmp_path / "a.toml", script=program)
    with pytest.raises(StudyFileError, match="must be a program, got the folder"):
        init_program(tmp_path / "a.toml", script=tmp_path)


def test_no_file_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "here.toml"
    path.write_text("mine")
    with pytest.raises(StudyFileError, match="already exists"):
        init_program(path, script=script(tmp_path, TRAIN))
    assert path.read_text() == "mine"


def test_the_command(tmp_path: Path) -> None:
    program, path = script(tmp_path, TRAIN), tmp_path / "a.toml"
    for more in (["--data", "digits"], ["--trainer", "adam"], ["--network", "lenet"]):
        refused = call_here("init", str(path), "--script", str(program), *more)
        assert refused.returncode == 2
        assert f"cannot be combined with {more[0]}" in " ".join(refused.stderr.split())
    assert not path.exists()
    done = call_here("init", str(path), "--script", str(program), "--metric", "val_acc")
    assert done.returncode == 0
    assert done.stderr == f"{path}  next: python -m hpsearch plan {path}\n"
    again = call_here("init", str(path), "--script", str(program))
    assert again.returncode == 2
    assert again.stderr.startswith("error: ")
    open_ends = tmp_path / "b.toml"
    program.write_text(program.read_text().replace("print", "tell"))
    done = call_here("init", str(open_ends), "--script", str(program))
    assert "next: fill in how the program reports its metrics, the metric" in done.stderr
