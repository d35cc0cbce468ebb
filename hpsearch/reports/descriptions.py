"""What MLflow says of a study: the answer in two lines, the experiment, the registered model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hpsearch.counts import count_of
from hpsearch.records.result import Result
from hpsearch.study_names import file_name
from hpsearch.studyfile.listing import purpose
from hpsearch.studyfile.reading import ReadStudy
from hpsearch.tracking.markdown import code, plain
from hpsearch.trainers import is_program
from hpsearch.value_texts import value_text

ABOUT_NAMES = 8  # searched parameters in an experiment's description


def comment(read: ReadStudy) -> str:
    """What the study file says of itself first."""
    return plain(purpose(read.text))


def headline(read: ReadStudy, result: Result | None, status: str | None) -> str:
    """The answer in the two lines that MLflow shows of a note."""
    file = read.file
    if result is None:
        n_trials = sum(stage.trials for stage in file.stages) * len(read.arms)
        trials, stages = count_of(n_trials, "trial"), count_of(len(file.stages), "stage")
        what = f"{file.objective.direction} {plain(file.objective.metric)}"
        state = "Interrupted (run the same command again to resume)" if status else "Running"
        return f"**{state}:** {what}, at most {trials} in {stages}."
    test, gained = result.test_score, ""
    if result.default is not None:
        gain = result.default.test_gain or result.default.gain
        if gain is not None:
            is_shown = gain.low is None or gain.is_constant or gain.sign != 0
            gained = f"{gain.mean:+.4f} over" if is_shown else "no difference can be shown from"
    won = result.validation
    interval = "" if won.low is None else f" ({won.low:.4f} … {won.high:.4f})"
    return (
        f"**Trial {result.best_number} won:** {plain(result.objective)} {won.mean:.4f}{interval} "
        f"over {won.of_what}"
        + (f", {test.mean:.4f} on the test set" if test else ", not tested")
        + (f"; {gained} the defaults." if gained else ".")
    )


def about(read: ReadStudy, result: Result | None, status: str | None) -> str:
    """The experiment's description: what is searched, and what the newest run found."""
    file = read.file
    data = "" if file.data is None else f" on {plain(Path(file.data.name).name)}"
    searched = dict.fromkeys(p.key for arm in read.arms for p in arm.space.parameters)
    names = ", ".join(map(code, [*searched][:ABOUT_NAMES]))
    names += " …" if len(searched) > ABOUT_NAMES else ""
    relations = [relation.text for relation in read.space.relations]
    names += f" with {', '.join(map(code, relations))}" if relations else ""
    what = f"{file.objective.direction} {plain(file.objective.metric)}{data} over {names}"
    answer = headline(read, result, status).replace("**", "")  # which the list shows as stars
    # MLflow shows one line above its table until a person asks for more.
    what_for = comment(read) or "A hyperparameter search."
    return f"{answer}\n\n{what_for} A search by hpsearch: {what}."


def params_text(searched: Mapping[str, Any]) -> str:
    """Hyperparameters with their values, in Markdown."""
    return ", ".join(f"{code(k)} = {plain(value_text(v))}" for k, v in searched.items())


def chosen(result: Result) -> str:
    """How a winner was chosen and tested, in Markdown."""
    test = result.test_score
    tested = f"{test}, after the search" if test else "not measured"
    among = count_of(sum(result.counts.values()), "trial")
    among += " in all searches" if result.outer is not None else ""
    return (
        f"**Hyperparameters:** {params_text(result.searched)}\n\n**Chosen** from {among} by "
        f"{plain(result.objective)}; confirmed: {result.validation}.\n\n**Tested** on the test "
        f"set: {tested}."
    )


def model_about(read: ReadStudy, result: Result) -> str:
    """The registered model's description: what it is, how it came to be, how to call it."""
    name = file_name(read.file.name)
    versions = (
        f"The winners of the hpsearch study {plain(read.file.name)}, one version per run; the "
        "newest has the alias `winner`. Each version describes how it was chosen and tested."
    )
    if is_program(str(result.best_params["trainer"])):
        return (
            f"{versions}\n\nA version holds the winner's checkpoint, if its program saved one, "
            "and `command.txt`, the command that trains it again. It can't be loaded as an MLflow "
            "model."
        )
    return (
        f"{versions}\n\n**To use it** with rows like those of its input "
        "example:\n\n```python\nimport mlflow\n\nmodel = "
        f'mlflow.pyfunc.load_model("models:/{name}@winner")\npredicted = '
        f"model.predict(rows)\n```\n\nAs a service: `mlflow models serve -m models:/{name}@winner "
        "--env-manager local`."
    )
