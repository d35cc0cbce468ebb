"""The report of a call of run_study, and its addresses in MLflow."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from hpsearch.addresses import without_password
from hpsearch.records.layout import Home, RunFiles
from hpsearch.tracking.links import UI_ADDRESS

if TYPE_CHECKING:
    from hpsearch.analysis.failures import Failure
    from hpsearch.analysis.kept_answers import Answers
    from hpsearch.records.result import Result


@dataclass(frozen=True)
class Report:
    """The report of a call of run_study.

    Attributes:
        result: what the study found.
        answers: its claims with their verdicts, and its agreement with a printed table.
        ran: False if it was finished before and nothing was run.
        tracking_uri, experiment_id, parent_run_id: its place in MLflow; the ids are "" until
            MLflow can be reached.
        missing: why MLflow does not have everything yet, "" if it has.
        ui: the command that opens the MLflow UI on it; "" for a server, which has its own.
        page: the address of the study's trials, best first, in the MLflow UI, from '#' on; "" if
            the ids are.
        short: the address of the same page on the server of `ui`, from "/" on.
        failures: the reasons for which trials failed or diverged.
        code_warnings: the problems of the user's own trainers, one line each.
        library_warnings: what libraries warned of during training, and how often, one line each.
        repeats: whether programs repeat their metrics, one line each.
        overtuning: searches whose successive best trials are not confirmed, one line each.
        failed_refits: how many refits have no test score because they failed.
        model_problem: why the model for new rows has not seen the test rows although the study
            asks for it; "": it has, or need not.
        model_failed: whether that is because its training failed, so that it may be run again.
    """

    result: Result
    answers: Answers
    ran: bool
    tracking_uri: str
    experiment_id: str
    parent_run_id: str
    missing: str
    ui: str
    page: str = ""
    short: str = ""
    failures: Sequence[Failure] = ()
    code_warnings: Sequence[str] = ()
    repeats: Sequence[str] = ()
    overtuning: Sequence[str] = ()
    library_warnings: Sequence[str] = ()
    failed_refits: int = 0
    model_problem: str = ""
    model_failed: bool = False

    @property
    def link(self) -> str:
        """The page of the study's trials, best first, in the MLflow UI."""
        if not self.page:
            return ""
        if self.tracking_uri.startswith("http"):
            return f"{self.tracking_uri.rstrip('/')}/{self.page}"
        if self.ui.startswith("python -m hpsearch"):  # whose server has short ones
            return f"{UI_ADDRESS}{self.short}"
        return f"{UI_ADDRESS}/{self.page}"

    def as_dict(self) -> dict[str, Any]:
        """For --json."""
        result, test = self.result, self.result.test_score
        return {
            "study": result.study,
            "counts": result.counts,
            "failures": [asdict(failure) for failure in self.failures],
            "code_warnings": [*self.code_warnings],
            "library_warnings": [*self.library_warnings],
            "repeats": [*self.repeats],
            "overtuning": [*self.overtuning],
            "ended": result.ended,
            "tried": result.tried,
            "best_trial": result.best_number,
            "best_params": result.best_params,
            "objective": {"metric": result.objective, "direction": result.direction},
            "validation": vars(result.validation) | {"optimistic": result.optimistic},
            "test": (vars(test) if test else None),
            "test_metrics": {name: vars(estimate) for name, estimate in result.test.items()},
            "default": asdict(result.default) if result.default else None,
            "leads": [asdict(lead) for lead in result.leads],
            "comparisons": [list(line) for line in result.comparisons],
            "saw_test": result.saw_test,
            "untested": result.untested,
            "failed_refits": self.failed_refits,
            "model_problem": self.model_problem,
            "test_uses": result.test_uses,
            "chapters": result.chapters,
            "ranges": result.ranges,
            "alarms": result.alarms,
            "fidelity": result.fidelity,
            "arms": [asdict(arm) for arm in result.arms],
            "outer": asdict(result.outer) if result.outer else None,
            "claims": self.answers.claims,
            "agreement": self.answers.agreement,
            "artifacts": result.folder,
            "mlflow": {
                "tracking_uri": self.tracking_uri,
                "experiment_id": self.experiment_id,
                "parent_run_id": self.parent_run_id,
                "complete": not self.missing,
            },
        }


def place_of(files: RunFiles) -> tuple[str, int | None]:
    """The study, and the number of its run; None: the newest."""
    is_newest = files.study.numbers()[-1:] == [files.number]
    return files.study.name, None if is_newest else files.number


def ui_command(home: Home, uri: str) -> str:
    """The command that opens the MLflow UI on a store; "" for a server, which has one."""
    if uri.startswith("http"):
        return ""
    if uri != home.tracking_uri:
        return f"python -m mlflow server --backend-store-uri {shlex.quote(without_password(uri))}"
    named = "" if home == Home.find(None) else f" --home {shlex.quote(str(home.path))}"
    return f"python -m hpsearch ui{named}"
