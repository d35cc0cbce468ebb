"""Claims about tuned cases: judged by the paired difference of their confirmed winners."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from hpsearch.errors import StudyFileError
from hpsearch.records.layout import Artifact, Home
from hpsearch.records.result import Result
from hpsearch.reports.artifacts import write_artifacts
from hpsearch.study.confirmation.cases import ConfirmedCases
from hpsearch.study.recorded import find_run
from hpsearch.studyfile.reading import read_study
from tests.harness.documents import REPOSITORY
from tests.harness.study import run

PAGE = (REPOSITORY / "docs/claims.md").read_text()
STUDY = re.search(r'^```toml\n(name = "duel".*?)^```', PAGE, re.MULTILINE | re.DOTALL)
MODULE = re.search(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
MORE = """
[[claims]]
text = "The same on validation data"
check = "better_tuned"
[claims.given]
metric = "validation_accuracy"
of = { trainer = "adam" }
than = { trainer = "momentum" }
[[claims]]
text = "The other way round"
check = "better_tuned"
[claims.given]
metric = "validation_accuracy"
of = { trainer = "momentum" }
than = { trainer = "adam" }
[[claims]]
text = "Search trials"
check = "higher"
[claims.given]
metric = "validation_accuracy"
of = { trainer = "adam" }
than = { trainer = "momentum" }
[[claims]]
text = "Few trials diverge"
check = "duelcheck:few_diverge"
given = { at_most = 0.5 }
[[claims]]
text = "Clearly"
check = "duelcheck:clearly_better"
given = { margin = 0.0 }
"""


class Duel(NamedTuple):
    """The study of the page, run with fewer trials."""

    path: Path
    home: Path
    result: Result
    claims: list[dict[str, Any]]


@pytest.fixture(scope="module")
def duel(tmp_path_factory: pytest.TempPathFactory) -> Duel:
    folder = tmp_path_factory.mktemp("duel")
    assert STUDY
    assert MODULE
    (folder / "duelcheck.py").write_text(MODULE[1])
    path, home = folder / "duel.toml", folder / "home"
    path.write_text(STUDY[1].replace("20", "5").replace("12", "3").replace("40", "8") + MORE)
    result = run(path, home)
    found = find_run(Home(home), "duel").folder
    write_artifacts(read_study(path), found, result)
    claims = json.loads(found.files.artifact(Artifact.CLAIMS).read_text())
    return Duel(path, home, result, claims)


def test_the_claim_is_judged_by_the_interval_of_the_result(duel: Duel) -> None:
    (lead,) = [lead for lead in duel.result.leads if lead.arm]
    assert ("case", lead.text) in duel.result.comparisons
    ahead = duel.result.searched["trainer"]
    _, on_validation, turned, *_ = duel.claims
    winner = on_validation if ahead == "adam" else turned
    found = lead.lead
    assert found.low is not None
    assert found.high is not None
    ends = f"{found.low:+.4f} … {found.high:+.4f}"
    expected = f"{found.mean:+.4f} (95 % corrected resampled t interval {ends}, paired over 5 "
    assert expected in winner["detail"]
    assert (
        f"tuned trainer={ahead} (trial {duel.result.best_number}) minus that of "
        in (winner["detail"])
    )
    assert f"(trial {lead.number})" in winner["detail"]
    assert (winner["p"] < 0.05) == (found.sign != 0)


def test_on_the_test_set_refits_on_the_same_rows_are_pairs(duel: Duel) -> None:
    first = duel.claims[0]
    means = {arm.values["trainer"]: arm.test["test_accuracy"].mean for arm in duel.result.arms}
    difference = means["adam"] - means["momentum"]
    assert f"{difference:+.4f} (95 % t interval with the bootstrap error" in first["detail"]
    assert "paired over 5 refits and 359 test rows)" in first["detail"]
    low, high = map(float, re.findall(r"rows ([-+][.\d]+) … ([-+][.\d]+)", first["detail"])[0])
    assert (first["p"] < 0.05) == (low > 0 or high < 0)


def test_pairs_of_the_search_are_called_that_and_the_other_check_is_named(duel: Duel) -> None:
    detail = duel.claims[3]["detail"]
    assert "compares search trials with otherwise equal hyperparameters" in detail
    assert detail.endswith('to compare the tuned cases, use check = "better_tuned"')
    assert "seeds" not in detail.partition(";")[0]


def test_the_checks_of_the_page_have_the_columns_that_it_says(duel: Duel) -> None:
    few, clearly = duel.claims[4:]
    assert (few["verdict"], few["detail"]) == ("holds", "0% diverged")
    low = float(re.findall(r"interval ([-+][.\d]+) …", clearly["detail"])[0])
    assert clearly["verdict"] == ("holds" if low > 0 else "not shown")
    assert "paired over 5 fresh splits" in clearly["detail"]


def test_a_lower_loss_is_better_and_other_names_are_refused(duel: Duel) -> None:
    cases = ConfirmedCases.of(
        read_study(duel.path), find_run(Home(duel.home), "duel").folder, duel.result
    )
    assert cases is not None
    first, second = (cases.case({"trainer": name}) for name in ("adam", "momentum"))
    loss = cases.difference(first, second, "test_loss")
    assert loss.sign == -1
    assert loss.judgement == -loss.estimate.sign
    with pytest.raises(ValueError, match="metric must be one of validation_accuracy, test_loss"):
        cases.difference(first, second, "acuracy")


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("of={trainer='adam'}, than={trainer='adm'}", "than: must be one of the cases trainer=mo"),
        ("of={trainr='adam'}, than={trainer='adam'}", "'trainr' must be compared: must be one of"),
        ("of={trainer='adam'}, than={trainer='adam'}", "of and than must be two cases"),
        ("of={}, than={trainer='adam'}", "of: must be one case, got 2: name trainer in where"),
    ],
)
def test_what_names_no_case_is_a_problem_of_the_file(
    given: str, message: str, duel: Duel, tmp_path: Path
) -> None:
    path = tmp_path / "duel.toml"
    text = duel.path.read_text().partition("[[claims]]")[0]
    claim = f"given={{metric='test_accuracy', {given}}}\ncheck='better_tuned'\ntext='x'\n"
    path.write_text(f"{text}[[claims]]\n{claim}")
    with pytest.raises(StudyFileError, match=message):
        read_study(path)
    path.write_text(f"{text.replace('compare =', '#')}[[claims]]\n{claim}")
    with pytest.raises(StudyFileError, match="the study must compare cases, compare = "):
        read_study(path)
