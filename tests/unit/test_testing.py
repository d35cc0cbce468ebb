"""check_trainer: a function that keeps the rules passes, every broken rule is named."""

from __future__ import annotations

import itertools
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from hpsearch.errors import DataError, HpsearchError, StudyFileError
from hpsearch.testing import TrainerCheck, TrainerError, check_function, check_trainer

REPOSITORY = Path(__file__).parents[2]

PAUSES = """
    import random

    def train(params, data, seed, state=None):
        rng, score = random.Random(seed), params["start"]
        if state is not None:
            score, generator = state
            rng.setstate(generator)
        while True:
            score += rng.random()
            yield {"validation_score": score}, (score, rng.getstate())
"""
WITHOUT_STATE = """
    import random

    def train(params, data, seed):
        rng, score = random.Random(seed), params["start"]
        while True:
            score += rng.random()
            yield {"validation_score": score}
"""
FROM_THE_CLOCK = """
    import time

    def train(params, data, seed):
        while True:
            yield {"validation_score": time.perf_counter()}
"""
FORGETS_ITS_GENERATOR = """
    import random

    def train(params, data, seed, state=None):
        rng, score = random.Random(seed), state or 0.0
        while True:
            score += rng.random()
            yield {"validation_score": score}, score
"""
DOES_NOT_PICKLE = """
    def train(params, data, seed, state=None):
        while True:
            yield {"validation_score": 1.0}, lambda: None
"""
DOES_NOT_GO_ON = """
    def train(params, data, seed, state=None):
        if state is not None:
            raise RuntimeError("no way back")
        while True:
            yield {"validation_score": 1.0}, "state"
"""
FAILS_AT_THE_FIFTH = """
    calls = []

    def train(params, data, seed, state=None):
        calls.append(seed)
        if len(calls) == 5:
            raise RuntimeError("five")
        for epoch in range(state or 0, 2):
            yield {"score": 0.5}, epoch + 1
"""
NOT_IN_THE_FINAL_TEST = """
    def train(params, data, seed, final=False):
        while True:
            yield {"validation_score": float(len(data.y_validation))}
"""
REMEMBERS_CALLS = """
    calls = []

    def train(params, data, seed):
        calls.append(seed)
        while True:
            yield {"validation_score": float(len(calls) > 2)}
"""


def metrics(row: str) -> str:
    """A module whose function yields this row of metrics every epoch."""
    return f"""
    def train(params, data, seed):
        while True:
            yield {row}
"""


Check = Callable[..., TrainerCheck]
NUMBERS = itertools.count()  # a module's name is used once a process


@pytest.fixture
def check(tmp_path: Path) -> Check:
    """Checks the function `train` of a module of this text."""

    def write_and_check(text: str) -> TrainerCheck:
        name = f"checked_module_{next(NUMBERS)}"
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return check_trainer(f"{name}:train", {"start": 2.0}, shots=3, folder=tmp_path)

    return write_and_check


@pytest.mark.parametrize(("text", "can_pause"), [(PAUSES, True), (WITHOUT_STATE, False)])
def test_a_function_that_keeps_the_rules_passes(text: str, can_pause: bool, check: Check) -> None:
    path = list(sys.path)
    found = check(text)
    assert found.can_pause == can_pause
    assert list(found.metrics) == [1, 2]
    assert 2 < found.metrics[1]["validation_score"] < found.metrics[2]["validation_score"] < 4
    assert sys.path == path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (FROM_THE_CLOCK, "must give the same metrics for the same seed, got validation_score = "),
        (
            FORGETS_ITS_GENERATOR,
            r"with a pause as without one, got .* after epoch 2 .*: yield as state",
        ),
        (REMEMBERS_CALLS, "with a pause as without one, got .*: keep nothing between two calls"),
        (DOES_NOT_PICKLE, "must train 2 epochs and yield a state that pickles, got .*lambda"),
        (DOES_NOT_GO_ON, "must continue to epoch 2 .*, got RuntimeError: no way back: correct it"),
        (FAILS_AT_THE_FIFTH, r"must train in the final test too, got Run.*: five: correct it, or"),
        (NOT_IN_THE_FINAL_TEST, "must train in the final test too, where it has no validation"),
        (metrics('{"f1(macro)": 1}'), r"must name its metrics by .*, got 'f1\(macro\)'"),
        (metrics('{"loss": float("nan")}'), "must yield finite metrics, got NaN .* in epoch 1"),
        (metrics('{"loss": "low"}'), "must yield a number for the metric 'loss', got str 'low'"),
        (metrics("{}"), "must yield at least one metric every epoch, got none"),
        (metrics("0.5"), "must yield a dict of metrics, got float"),
        ("def train(params, data, seed): yield {'a': 1}", "must yield metrics for 2 epochs"),
    ],
)
def test_a_broken_rule_is_named(text: str, message: str, check: Check) -> None:
    with pytest.raises(TrainerError, match=message) as caught:
        check(text)
    assert isinstance(caught.value, HpsearchError)
    assert "\n" not in str(caught.value)


def test_whether_the_test_set_is_sealed_is_told(check: Check) -> None:
    reads = metrics('{"validation_score": float(len(data.y_validation))}')
    assert not check(reads).test_sealed
    sealed = metrics('lambda x, y: {"validation_score": float(len(y))}')
    assert check(sealed).test_sealed


def test_the_traceback_of_an_exception_is_in_the_notes(check: Check) -> None:
    with pytest.raises(TrainerError) as caught:
        check(DOES_NOT_GO_ON)
    assert 'raise RuntimeError("no way back")' in caught.value.__notes__[0]


def test_arguments_that_can_not_be_checked_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TrainerError, match=r'trainer must be "module:function", got \'adam\''):
        check_trainer("adam")
    with pytest.raises(TrainerError, match="epochs must be at least 2, got 1"):
        check_trainer("a:b", epochs=1)
    with pytest.raises(TrainerError, match="shots must be at least 2, got 1"):
        check_trainer("a:b", shots=1)
    with pytest.raises(StudyFileError, match="must be importable as module:function"):
        check_trainer("no_such_module:train")
    studies = REPOSITORY / "studies"
    with pytest.raises(DataError, match=r"nothing\.csv"):
        check_trainer("own_trainer:train", data="nothing.csv", folder=studies)


def test_a_table_of_numbers_is_checked_too(tmp_path: Path) -> None:
    rows = "\n".join(f"{i},{i / 3}" for i in range(30))
    (tmp_path / "houses.csv").write_text(f"rooms,price\n{rows}\n")
    (tmp_path / "table_trainer.py").write_text(
        textwrap.dedent(
            """
            def train(params, data, seed):
                assert data.n_classes == 0
                while True:
                    yield {"validation_mse": float((data.y_validation**2).mean())}
            """
        )
    )
    found = check_trainer(
        "table_trainer:train", data="houses.csv", target="price", shots=None, folder=tmp_path
    )
    assert set(found.metrics[1]) == {"validation_mse"}


def test_the_example_of_the_documentation_passes() -> None:
    page = (REPOSITORY / "docs/functions.md").read_text()
    blocks = (block.partition("```")[0] for block in page.split("```python\n")[1:])
    (example,) = (block for block in blocks if "import check_function" in block)
    names: dict[str, object] = {}
    exec(example.replace('"studies"', repr(str(REPOSITORY / "studies"))), names)
    tests = [value for name, value in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        assert callable(test)
        test()


def test_a_function_that_brings_its_own_data(tmp_path: Path) -> None:
    text = """
        import json

        def train(params, seed, checkpoint):
            epoch = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
            while True:
                epoch += 1
                checkpoint.write_text(json.dumps(epoch))
                yield {"score": seed % 7 + epoch}, epoch

        def forgetful(params, seed, checkpoint):
            epoch = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
            began = epoch
            while True:
                epoch += 1
                checkpoint.write_text(json.dumps(epoch))
                yield {"score": epoch - began}, epoch
    """
    (tmp_path / "with_own_data.py").write_text(textwrap.dedent(text))
    found = check_function("with_own_data:train", folder=tmp_path, epochs=3)
    assert found.can_pause
    assert list(found.metrics) == [1, 2, 3]
    with pytest.raises(TrainerError, match="must give the same metrics with a pause"):
        check_function("with_own_data:forgetful", folder=tmp_path, epochs=3)
