"""The methods of a study as a text: what they say, and where each number of them is from."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest

from hpsearch import Methods, explain_study, run_study, study_methods
from hpsearch.analysis.answers import answer
from hpsearch.datasets.table import TableFile
from hpsearch.errors import HpsearchError, StudyFailed
from hpsearch.records.layout import Home
from hpsearch.records.result import Result
from hpsearch.reports.study_report import write_report
from hpsearch.reports.table_study.card import write_card
from hpsearch.study.opening import open_run
from hpsearch.study.recorded import find_run
from hpsearch.studyfile.reading import read_study
from tests.harness.commands import call_here
from tests.harness.functions import WriteModule
from tests.harness.study import run
from tests.harness.study_files import NESTED, SMALL, TWO
from tests.harness.tables import CUSTOMERS, LINEAR, customers
from tests.harness.traced import NUMBER, untraced

# A grid, so that configurations of two cases are pairs.
COMPARED = """
name = "compared"
compare = ["trainer"]
objective = { metric = "validation_accuracy" }
sampler = { name = "grid" }
data = { name = "digits", shots = 4, split = { kind = "k-fold", folds = 2 } }
network = { name = "two-layer", hidden = 10 }
confirmation = { top = 2, seeds = 2, test_seeds = 2 }
stages = [{ trials = 2, epochs = 2 }]
[space]
trainer = { choices = ["sgd", "adam"] }
learning_rate = 0.01
batch_size = { choices = [5, 10] }
[[claims]]
text = "SGD is better by 50 % than Adam"
check = "higher"
given = { metric = "validation_accuracy", of = { trainer = "sgd" }, than = { trainer = "adam" } }
[[claims]]
text = "Large mini-batches learn no worse"
check = "lower"
given = { metric = "validation_accuracy", of = { batch_size = 5 }, than = { batch_size = 10 } }
"""


class Written(NamedTuple):
    """A study that was run, and its text.

    Attributes:
        home: its stores.
    """

    result: Result
    methods: Methods
    home: Path


def written(path: Path, home: Path, *overrides: str) -> Written:
    result = run(path, home, *overrides)
    read = read_study(path, overrides)
    found = find_run(Home(home), read.file.name)
    dataset = None if read.selection.unknown else read.selection.dataset()
    if isinstance(dataset, TableFile):
        write_card(found.folder, dataset)
    answer(read, found.folder, result)
    return Written(result, study_methods(read.file.name, home=home), home)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory, quick_files: None) -> Written:
    folder = tmp_path_factory.mktemp("methods")
    (folder / "small.toml").write_text(SMALL)
    return written(folder / "small.toml", folder / "home", "confirmation.default=true")


def passage(methods: Methods, title: str) -> str:
    """A paragraph of the plain text."""
    return next(p for p in methods.text("text").split("\n\n") if p.startswith(f"{title}. "))


def assert_traced(methods: Methods, home: Path) -> None:
    """Every number of a text is one of its facts, and every fact is in the records."""
    folder = find_run(Home(home), methods.study).folder.path
    for fact in methods.facts():
        lost = untraced(folder, fact.text, fact.place)
        assert not lost, f"{lost} of {fact.text!r} is not at {fact.place}"
    words = [part for passage in methods.passages for part in passage.parts()]
    words += [part for table in methods.tables for part in table.parts()]
    assert not [word for word in words if isinstance(word, str) and NUMBER.search(word)]


def test_every_number_of_a_text_is_in_the_records(small: Written) -> None:
    result, methods, home = small
    assert_traced(methods, home)
    facts = [fact.text for fact in methods.facts()]
    assert len(facts) > 60
    assert f"{result.validation.mean:.4f}" in facts
    assert f"{result.test['test_accuracy'].low:.4f}" in facts
    assert methods.sources().to_dict("list")["text"] == facts


def test_a_text_says_how_a_study_was_done(small: Written) -> None:
    result, methods, _ = small
    assert re.fullmatch(
        r"Data\. The data is digits \(Alpaydin and Kaynak, 1998\) \(SHA-256 of the rows learned "
        r"from: [0-9a-f]{16}\)\. For each class, 6 examples were drawn at random\. Configurations "
        r"were validated by cross-validation with 3 folds, stratified by class \(Stone, 1974; "
        r"Kohavi, 1995\) \(SHA-256 of the row numbers: [0-9a-f]{16}\)\. Validation rows were "
        r"taken from these examples, so that no others were seen\.",
        passage(methods, "Data"),
    )
    space = passage(methods, "Search space")
    assert "trained by SGD (Robbins and Monro, 1951), Momentum (Polyak, 1964) and Adam" in space
    assert "over 3 hyperparameters: trainer, learning_rate and momentum" in space
    assert "Held fixed: weight_decay = 0.1, batch_size = 10 and hidden = 12." in space
    search = passage(methods, "Search")
    assert "4 at a time, with the seed 7, on Optuna (Akiba et al., 2019)" in search
    assert "ranked by validation_accuracy (maximized) at the last epoch" in search
    assert "14 configurations for 2 epochs, 8 for 4 epochs and 6 for 8 epochs" in search
    assert "promoted to the next one (" in search
    assert "and made up a fraction of 0.5 of the planned trials there." in search
    assert "The 2 best configurations" in passage(methods, "Confirmation")
    confirmed = passage(methods, "Confirmation")
    assert "on 3 fresh draws of the split that the search had not seen, with a fresh" in confirmed
    assert "The configuration of all defaults was run in the same way." in confirmed
    test = passage(methods, "Test")
    assert "The test set of 359 rows" in test
    assert "refitted with 2 seeds" in test
    assert "the test set was used for 2 configurations." in test
    found = passage(methods, "Result")
    low, high = result.validation.low, result.validation.high
    assert (
        f"Its validation_accuracy is {result.validation.mean:.4f} (95 % corrected resampled t "
        f"interval from {low:.4f} to {high:.4f} over 3 fresh splits) on validation data." in found
    )
    diverged = result.counts["diverged"]
    limits = passage(methods, "Limitations")
    assert f"{diverged} trials diverged" in limits
    assert "(loss not finite)" in limits


def test_the_tables_have_what_was_confirmed_and_what_was_searched(small: Written) -> None:
    result, methods, _ = small
    found, searched = methods.tables
    assert len(found.rows) == len(result.confirmed) + 1 == 3
    text = methods.text("text")
    assert re.search(
        rf"^chosen, trial {result.best_number} +{result.validation.mean:.4f} ", text, re.MULTILINE
    )
    latex = methods.text("latex")
    head = r"\texttt{validation\_accuracy} & \texttt{test\_loss}"
    assert head in latex.replace(r"\allowbreak{}", "")
    assert latex.count(r"\toprule") == 2
    assert "a number from 0.001 to 1 × 10⁶, uniform on the log scale" in text
    assert len(searched.rows) == 3
    assert "@article{stone1974cross," in methods.bibtex()
    assert "mlflow" not in methods.bibtex().lower()


def test_claims_that_fail_are_written_as_such(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "compared.toml"
    path.write_text(COMPARED)
    result, methods, _ = written(path, home)
    assert_traced(methods, home)
    claims = passage(methods, "Claims")
    assert "“SGD is better by 50 % than Adam” is not shown by these runs, which" in claims
    assert "“Large mini-batches learn no worse” is not shown by these runs, which" in claims
    assert "tested together by Holm's test (Holm, 1979) over 2 comparisons" in claims
    latex = methods.text("latex")
    assert r"by 50 \% than Adam''" in latex
    found, *_ = methods.tables
    assert [len(row) for row in found.rows] == [4] * 4  # each case and its defaults
    assert "It is the best of 2 cases" in passage(methods, "Result")
    assert "The plan of each case was to train 2 configurations for 2 epochs." in passage(
        methods, "Search"
    )
    assert result.arms


def test_a_comparison_is_written_up_case_by_case(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "cases.toml"
    path.write_text(
        COMPARED.partition("sampler =")[0]
        + 'data = { name = "digits", shots = 6, split = { kind = "k-fold", folds = 2 } }\n'
        'network = { name = "two-layer", hidden = 8 }\n'
        "confirmation = { top = 2, seeds = 2, test_seeds = 2 }\n"
        "stages = [{ trials = 8, epochs = 1 }, { trials = 6, epochs = 2 }]\n"
        '[space]\ntrainer = { choices = ["momentum", "adam"] }\n'
        "learning_rate = { low = 1e-9, high = 1e-6, log = true }\n"
    )
    result, methods, _ = written(path, home)
    assert_traced(methods, home)
    space = passage(methods, "Search space")
    assert "Each value of trainer had its own search and budget." in space
    assert "The search was over 1 hyperparameter: learning_rate." in space
    assert "for Momentum, momentum = 0.9; for Adam, beta1 = 0.9, beta2 = 0.999 and" in space
    confirmed, test = passage(methods, "Confirmation"), passage(methods, "Test")
    assert "The 2 best configurations of each case of the search were trained again" in confirmed
    assert "In each case, the one with the best mean was chosen" in confirmed
    assert "The configurations of all defaults, one for each case, were run in the" in confirmed
    assert "The chosen configuration of each case was then refitted with 2 seeds" in test
    found = passage(methods, "Result")
    assert found.startswith("Result. Of 22 trials, ")
    _, searched, chosen = methods.tables
    text = methods.text("text")
    for name in ("momentum", "adam"):
        assert f"trainer = {name}, all defaults" in text
    assert [len(row) for row in searched.rows] == [2]
    # More cases than hyperparameters, so cases are the rows.
    assert len(chosen.rows) == len(result.arms) == 2
    for arm in result.arms:
        drawn, _, exponent = f"{arm.searched['learning_rate']:.4g}".partition("e-0")
        raised = exponent.translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        assert f"{drawn} × 10⁻{raised} (0.0" in text
        assert rf"{drawn} $\times$ 10$^{{-{exponent}}}$ (0.0" in methods.text("latex")


def test_advice_on_the_study_file_is_no_part_of_the_text(tmp_path: Path, home: Path) -> None:
    """What a study warns of is written as a finding, without what to change in the file."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    known = run(path, home)
    found = find_run(Home(home), "small")
    one = {"arm": "trainer=sgd", "stage": 0, "epochs": 1, "then": 2, "n": 6, "rho": -0.2}
    one |= {"low": -0.9, "high": 0.8, "predicts": False, "text": "Raise the epochs of stage 1"}
    row = next(row for row in known.ranges if row["parameter"] == "learning_rate")
    row = row | {"edges": ["high"], "alarms": ["Widen the range in [space]"]}
    changed = replace(
        known,
        fidelity=[one],
        ranges=[row],
        alarms=row["alarms"],
        kept_splits="confirmation.splits says so",
        shortened="seeds = 2 instead of 5; a new run can set more in [confirmation]",
        untested="the study has no test data: no [data], and no test command",
    )
    limits = passage(Methods.of(found, changed), "Limitations")
    assert "(rank correlation −0.20, 95 % interval from −0.90 to 0.80, over 6 trials)" in limits
    assert "the upper end of the range of learning_rate" in limits
    for advice in ("Raise", "Widen", "[", "controls =", "says so", "can set", "command"):
        assert advice not in limits


def test_the_steps_from_the_defaults_are_written_where_they_were_run(
    tmp_path: Path, home: Path
) -> None:
    path = tmp_path / "compared.toml"
    path.write_text(COMPARED.partition("[[claims]]")[0])
    plain = ["compare=[]", "stages=[{trials=4, epochs=2}]", "confirmation.default=true"]
    written(path, home, *plain)
    explain_study("compared", home=home, workers=0)
    methods = study_methods("compared", home=home)
    assert_traced(methods, home)
    text = passage(methods, "Which values matter")
    assert "(Fawcett and Hoos, 2016; Biedenkapp et al., 2017)" in text
    assert re.search(r"With \w+ = \w+ (and \w+ = \w+ )?the gain is −?\d\.\d{4} \(", text)


def test_a_nested_search_is_told_of_with_what_it_is_worth(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "nested.toml"
    path.write_text(NESTED)
    result, methods, _ = written(path, home)
    assert result.outer is not None
    assert_traced(methods, home)
    search = passage(methods, "Search")
    assert "once for each outer fold of cross-validation with 3 folds" in search
    score = result.outer.test[result.test_name]
    assert f"test_accuracy of {score.mean:.4f} (95 % corrected" in passage(methods, "Result")
    assert passage(methods, "Data").count("SHA-256") == 2  # of the rows of all, and their splits
    assert " and " not in passage(methods, "Data").partition("learned from: ")[2][:24]


def test_a_table_is_described_by_its_card(tmp_path: Path, home: Path) -> None:
    customers().to_csv(tmp_path / "customers.csv", index=False)
    path = tmp_path / "customers.toml"
    path.write_text(CUSTOMERS.replace('[network]\nname = "two-layer"\nhidden = 8\n', ""))
    plain = [
        f'space={{trainer="{LINEAR}", C={{low=0.1, high=1.0}}}}',
        "stages=[{trials=2, epochs=1}]",
        "prepare={text_features=8}",
    ]
    methods = written(path, home, *plain).methods
    assert_traced(methods, home)
    data = passage(methods, "Data")
    assert "The data is customers.csv (SHA-256" in data
    assert re.search(r"It has \d+ rows to learn from; the column \w+ was predicted\.", data)
    assert "fitted on the training rows of each split only" in data
    assert "pedregosa2011scikit" in methods.bibtex()


def test_several_objectives_have_a_front(tmp_path: Path, home: Path) -> None:
    path = tmp_path / "two.toml"
    path.write_text(TWO)
    result, methods, _ = written(path, home)
    assert_traced(methods, home)
    search = passage(methods, "Search")
    assert "fronts (Deb et al., 2002) in validation_accuracy (maximized) and passes/backward" in (
        search
    )
    assert "Those that violated validation_loss at most 2.35 ranked after all others." in search
    found, _ = methods.tables
    assert len(found.rows) == len(result.front) + 1
    assert "Optuna's TPESampler (Bergstra et al., 2011)" in search


def test_a_study_without_data_and_test_says_so(
    write: WriteModule, tmp_path: Path, home: Path
) -> None:
    trainer = write(
        """
        def train(params, seed):
            for epoch in range(9):
                yield {"score": params["x"] * epoch}
        """
    )
    path = tmp_path / "own.toml"
    path.write_text(
        f'name = "own"\nobjective = {{ metric = "score", direction = "maximize" }}\n'
        f'sampler = {{ name = "random" }}\nspace = {{ trainer = "{trainer}", '
        "x = { low = 0.0, high = 1.0 } }\nstages = [{ trials = 8, epochs = 2 }]\n"
        "budget = { epochs = 18, target = 0.0 }\n"
    )
    result, methods, _ = written(path, home)
    assert_traced(methods, home)
    assert passage(methods, "Data") == (
        "Data. The trained program or function brought its own data, which hpsearch did not see."
    )
    assert passage(methods, "Test") == (
        "Test. There is no test set: the reported scores were measured on validation data."
    )
    assert "the same for all 3 seeds" in passage(methods, "Result")
    limits = passage(methods, "Limitations")
    assert "The chosen configuration was not tested: the study has no test data" in limits
    assert result.ended == "budget.target"
    assert "limited by budget.epochs = 18 and budget.target = 0" in passage(methods, "Search")
    assert "The search was cut by budget.target before it was complete." in limits
    assert "code of our own" in passage(methods, "Search space")
    assert "The digest of our own code was" in passage(methods, "Software and hardware")


def test_a_study_that_ended_without_a_result_is_written_up_too(
    study_file: Path, home: Path
) -> None:
    wild = "space.learning_rate={low=1e20, high=1e30, log=true}"
    with pytest.raises(StudyFailed):
        run_study(study_file, overrides=[wild], home=home, workers=0)
    methods = study_methods("small", home=home)
    assert_traced(methods, home)
    assert "The search ended without a result: at least one trial" in passage(methods, "Result")
    assert "28 trials diverged" in passage(methods, "Limitations")
    assert [table.name for table in methods.tables] == ["space"]


def test_a_study_that_is_not_over_has_no_methods_yet(study_file: Path, home: Path) -> None:
    read = read_study(study_file, [])
    open_run(read, Home(home), fresh=False).close()
    with pytest.raises(HpsearchError, match="'small' is not finished, so its methods can't"):
        study_methods("small", home=home)
    done = call_here("methods", "small", "--home", str(home))
    assert (done.returncode, done.stdout) == (1, "")


def test_the_command_prints_what_it_is_asked_for(small: Written) -> None:
    _, methods, home = small
    where = ["methods", "small", "--home", str(home)]
    assert call_here(*where).stdout == methods.text("markdown")
    assert call_here(*where, "--format", "latex").stdout == methods.text("latex")
    assert call_here(*where, "--format", "text").stdout == methods.text("text")
    assert call_here(*where, "--bibtex").stdout == methods.bibtex()
    assert "study.json#/file/seed" in call_here(*where, "--sources").stdout
    assert json.loads(call_here(*where, "--json").stdout) == methods.as_dict()


def test_the_report_has_the_same_text(small: Written) -> None:
    result, methods, home = small
    page = write_report(find_run(Home(home), "small").folder, result)
    assert methods.html() in page.read_text()
    assert '<span title="artifacts/result.json#/result/validation/mean">' in methods.html()
