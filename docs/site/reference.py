"""The pages of docs/reference, made from the code that they describe.

    python docs/site/reference.py            write them anew
    python docs/site/reference.py --check    exit 1 where one is not current

A page has every command and option, every key of study and batch files, every hyperparameter of
our trainers and networks, every outcome, exit code, file of a run and environment variable.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal, get_args, get_origin

import typer
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from hpsearch import errors
from hpsearch.cli import app
from hpsearch.cli.base.help import help_text, parameter_row
from hpsearch.hyperparameters import Hyperparameter, hyperparameters
from hpsearch.nn import NETWORKS
from hpsearch.preparation.settings import Preparation
from hpsearch.records import layout
from hpsearch.records.outcome import Outcome
from hpsearch.scheduler.batch_file import BatchFile
from hpsearch.studyfile.study_file import StudyFile, table_of
from hpsearch.studyfile.tables.base import Table
from hpsearch.studyfile.tables.data import SPLIT_TABLES
from hpsearch.studyfile.toml import toml_value
from hpsearch.trainers import TRAINERS

FOLDER = Path(__file__).parents[1] / "reference"
NOTE = "<!-- Generated from the code by scripts/docs. Edit the code, then run scripts/docs. -->"
Rows = Sequence[Sequence[str]]

# A line for each variable that a user may set or read; a test finds those that are missing.
VARIABLES = {
    "HPSEARCH_HOME": "The folder of all stores, unless `--home` is given. Default: `mlruns/` "
    "in the current folder.",
    "HPSEARCH_STORAGE": "The address of Optuna's database, unless `--storage` is given. It may "
    "contain a password.",
    "HPSEARCH_TRACKING_URI": "The address of the MLflow server or database, unless "
    "`--tracking-uri` is given. It may contain a password.",
    "HPSEARCH_DATA": "The folder that holds `mnist/` and `cifar10/`. It is searched before "
    "your cache folder.",
    "HPSEARCH_WEBHOOK": "The address to which a batch posts its summary. A batch file may name "
    "another variable.",
    "HPSEARCH_WEBHOOK_TOKEN": "A bearer token to send with the summary. If the batch file names "
    "another variable, `_TOKEN` is appended to that name.",
    "HPSEARCH_GPU": "hpsearch sets it for training code: the GPUs of this worker, such as `0,1`.",
    "HPSEARCH_TRIAL": "hpsearch sets it for programs. `hpsearch.report` prints only if it is set.",
}
INTERNAL = {"HPSEARCH_GUARDED", "HPSEARCH_PRIVATE_STORE"}  # between our own processes


def pages() -> dict[str, str]:
    """The text of each page by its file's name."""
    made: dict[str, Callable[[], Iterator[str]]] = {
        "commands.md": _commands,
        "study-file.md": _study_file,
        "batch-file.md": _batch_file,
        "hyperparameters.md": _hyperparameters,
        "outcomes.md": _outcomes,
        "records.md": _records,
        "environment.md": _environment,
    }
    return {name: "\n".join([NOTE, "", *lines()]).rstrip() + "\n" for name, lines in made.items()}


def commands() -> dict[str, Any]:
    """The commands of the program by name."""
    found = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    return dict(sorted(found.items()))


def _commands() -> Iterator[str]:
    yield from ("# Commands", "")
    yield (
        "Run every command as `python -m hpsearch NAME`, or as `hpsearch NAME` if the "
        "package is installed. [The commands by task](../commands.md) says what each is for. "
        "Data goes to stdout and progress to stderr. The exit codes are listed under "
        "[Outcomes and exit codes](outcomes.md#exit-codes)."
    )
    own: list[Any] = list(typer.main.get_command(app).params)
    yield from ("", "Options before the name of a command:", "")
    yield from _table(("option", "what it does"), map(_parameter, own))
    for name, command in commands().items():
        told = help_text(command)
        yield from ("", f"## {name}", "")
        for paragraph in told.sentences:
            yield from (paragraph, "")
        usage = " ".join(["python -m hpsearch", name, *command.collect_usage_pieces(None)])
        yield from ("```text", usage, "```", "")
        yield from ("```sh", *told.examples, "```", "")
        yield from _table(("argument or option", "what it does"), map(_parameter, command.params))


def _parameter(parameter: Any) -> tuple[str, str]:
    name, text = parameter_row(parameter)
    return f"`{name}`", _sentence(text)


def _study_file() -> Iterator[str]:
    yield from ("# Keys of a study file", "")
    yield (
        "Every key with its type, default and meaning. "
        "[The study file](../study-file.md) explains how the tables work together; "
        "`python -m hpsearch init study.toml` writes a file with all keys as comments, and "
        "`init --schema` prints the JSON Schema for editors. The keys of `[network]`, `[space]` "
        "and `[prepare]` are [hyperparameters](hyperparameters.md)."
    )
    yield from ("", "## Top level", "")
    yield from _keys(StudyFile)
    yield from _tables_of(StudyFile, 2)


def _batch_file() -> Iterator[str]:
    yield from ("# Keys of a batch file", "")
    yield (
        "A batch file runs several studies. [Several studies, and by the clock]"
        "(../scheduling.md) shows how it is used."
    )
    yield from ("", "## Top level", "")
    yield from _keys(BatchFile)
    yield from _tables_of(BatchFile, 2)


def _tables_of(file: type[Table], level: int, above: str = "") -> Iterator[str]:
    for name, field in file.model_fields.items():
        if name == "split":
            yield from _splits(level, above)
            continue
        tables = [t for t in _tables_in(field.annotation) if t not in SPLIT_TABLES.values()]
        if not tables:
            continue
        path = f"{above}{name}"
        listed = get_origin(field.annotation) is list
        title = f"[[{path}]]" if listed else f"[{path}]"
        title += "" if "program" not in name or name == "program" else ", by name"
        yield from ("", f"{'#' * level} {title}", "")
        described = _sentence(field.description or "")
        if name in ("programs", "objectives"):
            one = name.removesuffix("s")
            yield f"{described} Each has the keys of [{one}](#{one})."
            continue
        for table in tables:
            yield from (_doc(table), "")
            if table is tables[0] and described and described not in _doc(table):
                yield from (described, "")
            yield from _keys(table)
            if table is not tables[-1]:
                yield ""
            yield from _tables_of(table, level + 1, f"{path}.")


def _tables_in(annotation: Any) -> list[type[Table]]:
    """The tables that a key of this type may have."""
    if isinstance(annotation, type) and issubclass(annotation, Table):
        return [annotation]
    return [table for part in get_args(annotation) for table in _tables_in(part)]


def _doc(table: type[Table]) -> str:
    paragraphs = (inspect.getdoc(table) or "").split("\n\n")
    return "\n\n".join(" ".join(text.split()) for text in paragraphs)


def _splits(level: int, above: str) -> Iterator[str]:
    yield from ("", f"{'#' * level} {above}split", "")
    yield "The kinds of split, each with its keys. `validation.outer` takes the same kinds."
    for kind, table in SPLIT_TABLES.items():
        yield from ("", f'**`kind = "{kind}"`**: {_first_line(table)}', "")
        keys = {k: f for k, f in table.model_fields.items() if k != "kind"}
        yield from _rows_of(keys)


def _keys(table: type[Table]) -> Iterator[str]:
    yield from _rows_of(table.model_fields)


def _rows_of(fields: Mapping[str, FieldInfo]) -> Iterator[str]:
    rows = [
        (f"`{name}`", _type(field), _default(field), _sentence(field.description or ""))
        for name, field in fields.items()
    ]
    yield from _table(("key", "type and range", "default", "meaning"), rows)


def _type(field: FieldInfo) -> str:
    bounds = []
    for rule in field.metadata:
        for sign, name in (("≥", "ge"), (">", "gt"), ("≤", "le"), ("<", "lt")):
            bound = getattr(rule, name, None)
            if bound is not None:
                bounds.append(f"{sign} {_number(bound)}")
    return ", ".join([_words(field.annotation), *bounds])


def _number(bound: float) -> str:
    known = {2**63: "2^63", 2**31: "2^31", 2**31 - 1: "2^31 - 1", 10**12: "10^12"}
    return known.get(int(bound), f"{bound:,}")


def _words(annotation: Any) -> str:
    """A type as a person says it."""
    if table_of(annotation) is not None:
        many = {list: "list of tables", dict: "tables by name"}
        return many.get(get_origin(annotation), "table")
    if get_origin(annotation) is Annotated:
        return _words(get_args(annotation)[0])
    plain = {str: "text", int: "integer", float: "number", bool: "true or false"}
    if annotation in plain:
        return plain[annotation]
    if annotation is object or annotation is Any:
        return "any value"
    if get_origin(annotation) is Literal:
        return " or ".join(f"`{toml_value(value)}`" for value in get_args(annotation))
    if get_origin(annotation) is list:
        return f"list of {_words(get_args(annotation)[0])}"
    if get_origin(annotation) is dict:
        return "table"
    parts = [_words(part) for part in get_args(annotation) if part is not type(None)]
    return " or ".join(dict.fromkeys(parts)) or "any value"


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    default = field.get_default(call_default_factory=True)
    if default is None or default is PydanticUndefined or isinstance(default, Table):
        return ""
    if default in ([], {}):
        return ""
    return f"`{toml_value(default)}`"


def _hyperparameters() -> Iterator[str]:
    yield from ("# Hyperparameters", "")
    yield (
        "Use these in `[space]`; those of networks are also valid in `[network]`. A plain value "
        "fixes a hyperparameter, and a range or choices search it. An estimator takes the "
        "arguments of its constructor; a program or function defines its own parameters."
    )
    families = [("Trainers", {n: kind.hyperparameters() for n, kind in TRAINERS.items()})]
    families.append(("Networks", {n: hyperparameters(one) for n, one in NETWORKS.items()}))
    families.append(("Preprocessing of tables", {"prepare": hyperparameters(Preparation)}))
    for title, members in families:
        yield from ("", f"## {title}", "")
        shared = _shared(members)
        if shared:
            every = len(members) > 2
            yield f"All {title.lower()} have these:" if every else "Both have these:"
            yield ""
            yield from _meanings(shared)
        for name, own in members.items():
            rest = {key: h for key, h in own.items() if shared.get(key) != h}
            yield from ("", f"### {name}", "")
            if rest:
                yield from _meanings(rest)
            else:
                yield "It has no other hyperparameters."


def _shared(members: Mapping[str, Mapping[str, Hyperparameter]]) -> dict[str, Hyperparameter]:
    """Those that every member has, with the same meaning."""
    first, *others = members.values()
    if not others:
        return {}
    return {k: h for k, h in first.items() if all(other.get(k) == h for other in others)}


def _meanings(known: Mapping[str, Hyperparameter]) -> Iterator[str]:
    rows = []
    for name, h in known.items():
        condition = f"Only if {h.when[0]} = {toml_value(h.when[1])}. " if h.when else ""
        default = "" if h.default is None else f"`{toml_value(h.default)}`"
        rows.append((f"`{name}`", h.rule(), default, condition + _sentence(h.why)))
    yield from _table(("name", "valid values", "default", "reason for the default"), rows)


def _outcomes() -> Iterator[str]:
    yield from ("# Outcomes and exit codes", "")
    yield from ("## Outcomes of a trial", "")
    doc = inspect.getdoc(Outcome) or ""
    yield (
        "Every record has one outcome. `running` and `paused` are not final. The reason for each "
        "failure is in the record, in MLflow and in `python -m hpsearch show STUDY --trials`."
    )
    yield from ("", "```text", doc.partition("\n\n")[2].partition("\n\nA worker")[0], "```", "")
    rows = [
        (f"`{o}`", "yes" if o.final else "no", "yes" if o.final and o.ranked else "no")
        for o in Outcome
    ]
    yield from _table(("outcome", "final", "ranked by its score"), rows)
    yield ""
    yield (
        "The death of a worker, a retry, and a repetition because another trial in the same "
        "worker exceeded a limit are `attempts` in a trial's record, not outcomes."
    )
    yield from ("", "## Exit codes", "")
    yield from _table(
        ("code", "meaning"),
        [
            ("0", "Done. Running a finished study again exits with 0, too."),
            ("1", "Failed, or `verify`, `reproduce`, `doctor` or `sync` found a difference."),
            ("2", "The study file or the command line is invalid. Nothing was created."),
            ("75", "Unfinished: the batch's window or budget ended. The same command resumes it."),
            ("130", "Interrupted by Ctrl-C or SIGTERM. The same command resumes it."),
        ],
    )
    yield from ("", "## Errors in Python", "")
    yield (
        "The functions of `hpsearch` raise these. All derive from `hpsearch.HpsearchError`, and "
        "`str(error)` is the message that the command line prints."
    )
    yield ""
    found = [
        value
        for value in vars(errors).values()
        if isinstance(value, type) and issubclass(value, errors.HpsearchError)
    ]
    yield from _table(
        ("error", "exit code", "meaning"),
        [(f"`{e.__name__}`", str(e.exit_code), _first_line(e)) for e in found],
    )


def _records() -> Iterator[str]:
    yield from ("# Files of a home folder", "")
    yield (
        "The home folder is `mlruns/` in the current folder, or the folder that `--home` or "
        "`HPSEARCH_HOME` names. The records are authoritative; Optuna's and MLflow's stores can "
        "be rebuilt from them."
    )
    tree = (inspect.getdoc(layout) or "").partition("\n\n")[2]
    yield from ("", "```text", tree, "```", "", "## Files of a run", "")
    yield "Paths are relative to `studies/<name>/<run>/`."
    yield ""
    rows = [
        (f"`{name}`", _first_line(value.fget))
        for name, value in vars(layout.RunFiles).items()
        if isinstance(value, property) and name in _own_files()
    ]
    names = _own_files()
    yield from _table(("file", "content"), [(f"`{names[n.strip('`')]}`", t) for n, t in rows])
    yield from ("", "## Folders of records", "")
    yield (
        f"Each trial has a folder in `trials/`. The folders {_listed(layout.KINDS[1:])} hold the "
        "runs that follow the search, numbered `TRIAL-REPEAT`. A folder holds `record.json`, "
        "`log.txt`, the states of paused trials (`state-*.npz`), and after a refit the model "
        "(`weights.npz`, `estimator.skops`, `table_model.zip`, `lightgbm.txt`, `xgboost.json`, "
        "`catboost.cbm`) and its predictions on the test rows (`answers.npz`)."
    )
    yield from ("", "## Artifacts", "")
    yield "These files are in `artifacts/` and are logged on the study's run in MLflow."
    yield ""
    yield from _table(("file", "content"), _artifacts())
    yield from ("", "## Fields of record.json")
    yield from _record_fields()


def _own_files() -> dict[str, str]:
    """The files directly in a run's folder, by the property that names each."""
    run = layout.RunFiles(Path("1"))
    found = {}
    for name, value in vars(layout.RunFiles).items():
        if isinstance(value, property) and not name.startswith("young"):
            path = value.fget(run) if value.fget else None
            if isinstance(path, Path) and path.parent == run.path:
                found[name] = path.name if "." in path.name else f"{path.name}/"
    return found


def _artifacts() -> list[tuple[str, str]]:
    """Each with what it holds: the comment beside it, where there is one."""
    source = inspect.getsource(layout.Artifact)
    comments = dict(re.findall(r'= "([\w.]+)"(?:  # (.*))?', source))
    stems = {
        "result.json": "the result: the winner, its scores with their intervals, the defaults",
        "report.html": "the report, as a single page",
        "search.png": "the scores of all trials, and the learning curves of the best",
        "trials.csv": "a row for each trial",
        "stages.csv": "a row for each stage: its trials, epochs and best score",
        "narrowing.csv": "the range before and after each stage, for every parameter",
        "narrowing.json": "the same, with the trials that set each range",
        "front.csv": "the Pareto front, with several objectives",
        "confusion.csv": "the confusion matrix of the refits",
        "confusion.png": "the same as a figure",
        "arms.csv": "the cases of a comparison",
        "arms.png": "the same as a figure",
        "predictions.png": "predicted against true numbers",
        "comparison.csv": "the study's scores beside the printed ones of `[comparison]`",
        "agreement.json": "the agreement between the folds of a nested search",
        "claims.json": "the claims, each with its verdict and numbers",
        "ablation.json": "the same, with what it was computed from",
    }
    found = [(a.value, comments.get(a.value) or stems[a.value]) for a in layout.Artifact]
    return [(f"`{name}`", _sentence(said)) for name, said in found]


def _record_fields() -> Iterator[str]:
    from hpsearch.records.trial_record import MemberRecord, TrialRecord

    for title, cls in (("A record", TrialRecord), ("A member of it", MemberRecord)):
        yield from ("", f"### {title}", "", _first_line(cls), "")
        yield from _table(("field", "meaning"), _attributes(cls))


def _attributes(cls: type) -> list[tuple[str, str]]:
    """The fields that a docstring in Google's style describes."""
    text = (inspect.getdoc(cls) or "").partition("Attributes:\n")[2]
    joined = re.sub(r"\n {6,}", " ", text)
    found = re.findall(r"^ {4}([\w, ]+): (.+)$", joined, re.MULTILINE)
    return [
        (", ".join(f"`{name.strip()}`" for name in names.split(",")), _sentence(said))
        for names, said in found
    ]


def _environment() -> Iterator[str]:
    yield from ("# Environment variables", "")
    yield from _table(
        ("variable", "meaning"), [(f"`{name}`", said) for name, said in VARIABLES.items()]
    )


def _first_line(thing: object) -> str:
    doc = inspect.getdoc(thing) or ""
    return _sentence(" ".join(doc.partition("\n\n")[0].split()))


def _sentence(text: str) -> str:
    """With a capital and a full stop."""
    text = text.strip()
    if not text:
        return ""
    text = text if re.match(r"[a-z-]+[:.(_]", text) else text[0].upper() + text[1:]
    return text if text[-1] in ".!?:]" else f"{text}."


def _listed(names: Sequence[str]) -> str:
    *most, last = (f"`{name}/`" for name in names)
    return f"{', '.join(most)} and {last}"


def _table(heads: Sequence[str], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        cells = [cell.replace("|", "\\|").replace("\n", " ") for cell in row]
        yield f"| {' | '.join(cells)} |"


def variables_in(folder: Path) -> set[str]:
    """The names of environment variables that the code has as texts."""
    found: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found |= set(re.findall(r"\bHPSEARCH_[A-Z_]+[A-Z]\b", node.value))
    return found


def main() -> None:
    """Write the pages, or say which are not current."""
    stale = []
    for name, text in pages().items():
        path = FOLDER / name
        if "--check" in sys.argv:
            if not path.exists() or path.read_text() != text:
                stale.append(str(path))
        else:
            path.write_text(text)
    if stale:
        sys.exit(f"not current: {', '.join(stale)}; run scripts/docs")


if __name__ == "__main__":
    main()
