"""What is said of a result, the bad as plainly as the good."""

from __future__ import annotations

from typing import Any

import pytest

from hpsearch.records.comparisons import DefaultResult, Lead
from hpsearch.records.estimate import CORRECTED, Estimate
from hpsearch.records.layout import Artifact
from hpsearch.records.result import ArmResult, Result
from hpsearch.records.run_folder import RunFolder
from hpsearch.reports.methods.findings import findings
from hpsearch.reports.methods.markup import PlainText
from hpsearch.reports.methods.places import Places
from hpsearch.studyfile.study_file import StudyFile

FILE = StudyFile.model_validate(
    {
        "name": "small",
        "objective": {"metric": "validation_accuracy", "direction": "maximize"},
        "space": {"trainer": "sgd"},
        "stages": [{"trials": 2, "epochs": 2}],
    }
)
SCORE = Estimate(0.9, 0.85, 0.95, [0.89, 0.91], "fresh splits", CORRECTED)


POOR = {"arm": "", "epochs": 1, "then": 4, "n": 6, "rho": -0.2, "low": -0.9, "high": 0.8}
POOR |= {"predicts": False, "text": "Raise the epochs of stage 1"}
WIDE = {"parameter": "hidden", "declared": "10 … 100", "edges": ["high"]}
WIDE |= {"alarms": ["hidden: the best, trial 1 with 100. Widen the range"]}


def difference(low: float, high: float) -> Estimate:
    return Estimate((low + high) / 2, low, high, [low, high], "refits")


def default(gain: Estimate | None, test_gain: Estimate | None, failure: str = "") -> DefaultResult:
    return DefaultResult({}, {}, SCORE, {}, gain, test_gain, failure)


def result(**said: Any) -> Result:
    usual: dict[str, Any] = {
        "study": "small",
        "objective": "validation_accuracy",
        "direction": "maximize",
        "counts": {"complete": 2},
        "best_number": 1,
        "best_params": {"trainer": "sgd"},
        "searched": {},
        "validation": SCORE,
        "test": {},
        "untested": "",
        "test_uses": 2,
        "optimistic": None,
        "ranges": [],
        "top": [],
        "confirmed": {"1": SCORE},
        "folder": "",
        "arms": [],
    }
    return Result(**usual | said)


def text(folder: RunFolder, title: str, **said: Any) -> str:
    places = Places(folder, FILE, result(**said), 2)
    found = {p.title: PlainText().sentences(p) for p in findings(places, "")}
    return found.get(title, "")


def test_the_chosen_configuration_and_its_interval_are_named(run_folder: RunFolder) -> None:
    assert text(run_folder, "Result", searched={"learning_rate": 0.0123456}) == (
        "All 2 trials were trained to the end. Trial 1 was chosen with learning_rate = 0.01235. "
        "Its validation_accuracy is 0.9000 (95 % corrected resampled t interval from 0.8500 to "
        "0.9500 over 2 fresh splits) on validation data."
    )


@pytest.mark.parametrize(
    ("low", "high", "said"),
    [
        (
            0.01,
            0.03,
            "It is better than the configuration of all defaults, in test_accuracy by "
            "0.0200 (95 % t interval from 0.0100 to 0.0300 over 2 refits).",
        ),
        (
            -0.03,
            -0.01,
            "Tuning lost: it is worse than the configuration of all defaults; the difference in "
            "test_accuracy is −0.0200 (95 % t interval from −0.0300 to −0.0100 over 2 refits).",
        ),
        (
            -0.01,
            0.03,
            "No difference from the configuration of all defaults can be shown; in "
            "test_accuracy, it is 0.0100 (95 % t interval from −0.0100 to 0.0300 over 2 refits).",
        ),
    ],
)
def test_what_tuning_gained_or_lost_is_said(
    low: float, high: float, said: str, run_folder: RunFolder
) -> None:
    gained = default(difference(0.1, 0.2), difference(low, high))
    assert text(run_folder, "Result", default=gained).endswith(said)


def test_without_a_test_the_gain_is_that_on_validation_data(run_folder: RunFolder) -> None:
    found = text(run_folder, "Result", default=default(difference(0.1, 0.2), None))
    assert "all defaults, in validation_accuracy by 0.1500" in found
    found = text(run_folder, "Result", default=default(None, None, "2 of 5 runs failed"))
    assert found.endswith("The defaults have no score: 2 of 5 runs failed.")


def test_why_the_winner_is_not_the_best_is_said(run_folder: RunFolder) -> None:
    found = text(run_folder, "Result", choice="trial 4 (1 s) is the cheapest")
    assert "trial 4 (1 s) is the cheapest." in found


def test_what_can_not_be_told_apart_is_named(run_folder: RunFolder) -> None:
    arms = [
        ArmResult({"trainer": name}, number, {}, SCORE, {}, "")
        for number, name in ((1, "sgd"), (4, "adam"))
    ]
    leads = [
        Lead(3, "", difference(-0.02, 0.04)),
        Lead(5, "", difference(0.5, 0.6)),
        Lead(4, "trainer=adam", difference(0.02, 0.04)),
    ]
    found = text(run_folder, "Result", arms=arms, leads=leads)
    assert "It is the best of 2 cases by the confirmed mean." in found
    assert "It can't be distinguished from trial 3; the difference is 0.0100 (95 % t" in found
    assert "It is better than trial 4 (trainer=adam) by 0.0300" in found
    assert "trial 5" not in found  # beside the runner-up other cases alone


def test_what_limits_a_result_is_written_out(run_folder: RunFolder) -> None:
    top = {"number": 7, "not_confirmed": "diverged"}
    found = text(
        run_folder,
        "Limitations",
        untested="1 of 2 refits failed: no memory",
        top=[top],
        kept_splits="it is fixed",
        no_default="the winner was not compared with the defaults: give x a default",
        ended="budget.seconds",
        unmet=["validation_loss at most 2 (by 3.0%)"],
        optimistic="scored by the best epoch",
        saw_test="mine:train read the test set",
        fidelity=[POOR, {"predicts": True}],
        ranges=[WIDE],
        alarms=["hidden: the best, trial 1 with 100. Widen the range"],
    )
    assert found == (
        "The chosen configuration was not tested: 1 of 2 refits failed: no memory. "
        "Trial 7, among the best of the search, diverged in a confirmation run and was not "
        "confirmed. "
        "The best were confirmed on the splits of the search, which had already been used to "
        "select them. "
        "Note that the winner was not compared with the defaults. "
        "The search was cut by budget.seconds before it was complete. "
        "The chosen configuration violates validation_loss at most 2 (by 3.0%). "
        "Validation scores are optimistic: scored by the best epoch. "
        "Test scores are optimistic: mine:train read the test set. "
        "The ranking of trials after 1 epoch agreed poorly with that after 4 epochs (rank "
        "correlation −0.20, 95 % interval from −0.90 to 0.80, over 6 trials), so promotion may "
        "have missed better configurations. "
        "The best trials lie at the upper end of the range of hidden (10 … 100), so the optimum "
        "may be outside it."
    )
    assert text(run_folder, "Limitations") == ""


@pytest.mark.parametrize(
    ("verdict", "said"),
    [
        ("holds", "The claim “Adam is better” holds in these runs: +.02."),
        ("does not hold", "The claim “Adam is better” does not hold in these runs: +.02."),
        ("depends", "Whether “Adam is better” holds depends on the case: +.02."),
        (
            "not shown",
            "The claim “Adam is better” is not shown by these runs, which allow "
            "either answer: +.02.",
        ),
    ],
)
def test_a_claim_is_written_with_its_verdict(
    verdict: str, said: str, run_folder: RunFolder
) -> None:
    claim = {"text": "Adam is better", "verdict": verdict, "detail": "+.02"}
    run_folder.write_json(run_folder.files.artifact(Artifact.CLAIMS), [claim])
    assert text(run_folder, "Claims") == said


def test_the_hint_at_another_check_is_no_part_of_a_claim(run_folder: RunFolder) -> None:
    claim = {
        "text": "Adam is better",
        "verdict": "holds",
        "detail": "+.02; see x",
        "hint": "see x",
    }
    run_folder.write_json(run_folder.files.artifact(Artifact.CLAIMS), [claim])
    found = text(run_folder, "Claims")
    assert found == "The claim “Adam is better” holds in these runs: +.02."


def test_what_became_of_trials_is_counted(run_folder: RunFolder) -> None:
    found = text(run_folder, "Result", counts={"complete": 2, "pruned": 1})
    assert "2 were trained to the end and 1 was stopped early or not promoted." in found
