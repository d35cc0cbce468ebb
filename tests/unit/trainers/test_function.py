"""A user's training function: what it receives, what it may yield, and how it continues."""

import importlib
import itertools
import textwrap
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from hpsearch.errors import StudyFileError
from hpsearch.hyperparameters import ParamValue
from hpsearch.trainers import (
    Member,
    Progress,
    Schedule,
    Split,
    TrainingData,
    load_function,
    load_training_function,
)
from hpsearch.trainers.function import FunctionTrainer

WITHOUT_STATE = """
    import random

    def train(params, data, seed):
        rng, score = random.Random(seed), params["start"]
        for _ in range(5):
            score += rng.random()
            yield {"score": score}
"""
WITH_STATE = """
    import random

    def train(params, data, seed, state):
        rng = random.Random(seed)
        done, score = 0, params["start"]
        if state is not None:
            done, score, generator = state
            rng.setstate(generator)
        for epoch in range(done, 5):
            score += rng.random()
            yield {"score": score}, (epoch + 1, score, rng.getstate())
"""

Write = Callable[[str], str]


NUMBERS = itertools.count()  # a module's name is used once a process


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a module of this text; gives its trainer's name."""
    monkeypatch.syspath_prepend(tmp_path)
    name = f"user_module_{next(NUMBERS)}"

    def write_module(text: str) -> str:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return f"{name}:train"

    return write_module


def member(trainer: str, state: bytes | None = None) -> Member:
    return Member({"trainer": trainer, "network": "none", "start": 2.0}, (1, 2), 0, state)


def trainer_of(
    trainer: str, data: TrainingData, state: bytes | None = None, n_epochs: int = 5
) -> FunctionTrainer:
    return FunctionTrainer([member(trainer, state)], data, n_epochs=n_epochs)


@pytest.mark.parametrize(
    ("rows", "rule"),
    [
        ('[{"a": 1}, {"a": 1, "b": 2}]', "the same metrics every epoch"),
        ('[{"a": 1}, {}]', "the same metrics every epoch"),
        ('[{"f1(macro)": 1}]', "must name its metrics by"),
        ('[{"../a": 1}]', "must name its metrics by"),
    ],
)
def test_metrics_that_do_not_fit_are_refused(
    rows: str, rule: str, write: Write, xor: TrainingData
) -> None:
    trainer = trainer_of(write(f"def train(params, data, seed):\n    yield from {rows}"), xor)
    with pytest.raises(ValueError, match=rule):
        list(trainer.run(2))


def scores(steps: list[Progress]) -> list[tuple[int, float]]:
    return [(step.epoch, float(step.metrics["score"][0])) for step in steps]


@pytest.mark.parametrize("text", [WITHOUT_STATE, WITH_STATE], ids=["without", "with-state"])
def test_a_run_is_reproducible(text: str, write: Write, xor: TrainingData) -> None:
    name = write(text)
    first, second = (scores(list(trainer_of(name, xor).run(5))) for _ in range(2))
    assert [epoch for epoch, _ in first] == [1, 2, 3, 4, 5]
    assert first == second


@pytest.mark.parametrize("text", [WITHOUT_STATE, WITH_STATE], ids=["without", "with-state"])
@pytest.mark.parametrize("pause", [1, 4])
def test_a_continued_run_is_the_uninterrupted_one(
    pause: int, text: str, write: Write, xor: TrainingData
) -> None:
    name = write(text)
    whole = scores(list(trainer_of(name, xor).run(5)))
    first = trainer_of(name, xor)
    begun = scores(list(first.run(pause)))
    second = trainer_of(name, xor, first.state(0))
    assert begun + scores(list(second.run(5))) == whole


@pytest.mark.parametrize(("text", "pausable"), [(WITHOUT_STATE, False), (WITH_STATE, True)])
def test_only_a_function_that_takes_a_state_can_pause(
    text: str, pausable: bool, write: Write, xor: TrainingData
) -> None:
    assert trainer_of(write(text), xor).pausable == pausable


def test_learns_xor(write: Write, xor: TrainingData) -> None:
    name = write("""
        import numpy as np

        def train(params, data, seed):
            x, y = data.x_train, data.y_train
            z = np.stack([x[:, 0], x[:, 1], x[:, 0] * x[:, 1], np.ones(len(x))], axis=1)
            w = np.zeros((4, data.n_classes))
            for _ in range(50):
                w -= 0.5 * z.T @ (z @ w - np.eye(data.n_classes)[y]) / len(x)
                yield {"score": float(((z @ w).argmax(axis=1) == y).mean())}
    """)
    *_, last = trainer_of(name, xor).run(50)
    assert last.metrics["score"] == 1


def test_the_function_receives_its_params_and_the_split(
    write: Write, digits: TrainingData
) -> None:
    name = write("""
        seen = []

        def train(params, data, seed):
            seen.append((params, data, seed))
            yield {"score": 0.0}
    """)
    list(trainer_of(name, digits).run(1))
    ((params, data, seed),) = importlib.import_module(name.partition(":")[0]).seen
    split = digits.splits[0]
    assert params == {"start": 2.0}
    assert isinstance(seed, int)
    assert np.array_equal(data.x_train, (digits.inputs[split.train] / 16).astype(np.float32))
    assert np.array_equal(data.y_validation, digits.labels[split.validation])
    assert data.n_classes == 10


def test_numbers_of_a_table_keep_their_digits(write: Write) -> None:
    minutes = 1.7e9 + 60 * np.arange(6.0)  # unix times: float32 tells no two of them apart
    rows = np.arange(6)
    data = TrainingData(minutes[:, None], minutes, n_classes=0, splits=[Split(rows[:4], rows[4:])])
    name = write("""
        def train(params, data, seed):
            yield {"train": len(set(data.x_train[:, 0])), "time": data.x_validation[-1, 0]}
    """)
    (step,) = trainer_of(name, data).run(1)
    assert step.metrics["train"] == 4
    assert step.metrics["time"] == minutes[-1]


SCORES = """
    calls = []

    def train(params, data, seed, state=None{FINAL}):
        epoch = state or 0
        def scores(x, y):
            calls.append((epoch, len(y)))
            return {"score": float(epoch), "read": float(len(data.x_train))}
        while epoch < 4:
            epoch += 1
            yield scores, epoch
"""


def calls_of(name: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = importlib.import_module(name.partition(":")[0]).calls
    return found


def test_a_yielded_function_scores_after_every_epoch(write: Write, xor: TrainingData) -> None:
    name = write(SCORES.replace("{FINAL}", ""))
    trainer = trainer_of(name, xor)
    steps = list(trainer.run(6, Schedule(3)))
    assert [step.epoch for step in steps if step.metrics] == [3, 6]
    assert scores([step for step in steps if step.metrics]) == [(3, 3.0), (6, 4.0)]  # it ended
    assert [epoch for epoch, _ in calls_of(name)] == [1, 2, 3, 4]


@pytest.mark.parametrize("final", ["", ", final=False"])
@pytest.mark.parametrize("until", [3, 4, 6])
@pytest.mark.parametrize("pauses", [(), (1,), (2,), (3,), (4,), (5,), (1, 2, 3, 4, 5)])
def test_in_the_final_test_a_yielded_function_scores_once_what_training_does_not_see(
    pauses: tuple[int, ...], until: int, final: str, write: Write, xor: TrainingData
) -> None:
    name = write(SCORES.replace("{FINAL}", final))
    tested = xor.as_final()
    trainer = trainer_of(name, tested)
    steps: list[Progress] = []
    for pause in (epoch for epoch in pauses if epoch < until):
        steps += itertools.islice(trainer.run(until, Schedule(until)), pause - len(steps))
        trainer = trainer_of(name, tested, trainer.state(0))
    steps += list(trainer.run(until, Schedule(until)))
    assert [step.epoch for step in steps] == [*range(1, until + 1)]
    last = min(until, 4)  # it ends by itself
    assert steps[-1].metrics["score"] == last
    assert trainer.ended(0) == (4 if until > 4 else 0)
    assert not trainer.saw_test(0)
    assert calls_of(name) == [(last, len(tested.splits[0].validation))]


def test_a_function_that_takes_final_must_yield_a_function_there(
    write: Write, xor: TrainingData
) -> None:
    name = write("""
        def train(params, data, seed, final):
            yield {"score": float(data.x_validation is None)}
    """)
    assert scores(list(trainer_of(name, xor).run(1))) == [(1, 0.0)]
    with pytest.raises(ValueError, match=r"must yield a function of \(x, y\) in the final test"):
        list(trainer_of(name, xor.as_final()).run(1))


def test_it_is_noted_that_a_function_read_the_test_set(write: Write, xor: TrainingData) -> None:
    name = write("""
        def train(params, data, seed):
            yield {"score": float(len(data.y_validation))}
    """)
    searched, tested = trainer_of(name, xor), trainer_of(name, xor.as_final())
    assert scores(list(searched.run(1))) == scores(list(tested.run(1)))
    assert not searched.saw_test(0)
    assert tested.saw_test(0)


@pytest.mark.parametrize(
    ("reads", "marked"),
    [
        ("copy.copy(data)", True),
        ("copy.copy(data).y_validation", True),
        ("copy.deepcopy(data)", True),
        ("vars(data)", True),
        ("data.__dict__", True),
        ("data.__getstate__()", True),
        ("pickle.loads(pickle.dumps(data)).x_validation", True),
        ("dataclasses.asdict(data)", True),
        ("dataclasses.replace(data, n_classes=3)", True),
        ("getattr(data, 'y_validation')", True),
        ("data.x_train, data.y_train, data.n_classes", False),
    ],
)
def test_a_way_round_to_the_test_set_is_noted_too(
    reads: str, marked: bool, write: Write, xor: TrainingData
) -> None:
    name = write(f"""
        import copy, dataclasses, pickle

        def train(params, data, seed):
            {reads}
            yield lambda x, y: {{"score": 0.5}}
    """)
    trainer = trainer_of(name, xor.as_final())
    list(trainer.run(1))
    assert trainer.saw_test(0) == marked


def test_a_copy_of_the_data_has_all_of_it(write: Write, xor: TrainingData) -> None:
    name = write("""
        import copy, dataclasses, pickle

        def train(params, data, seed):
            for one in (copy.copy(data), pickle.loads(pickle.dumps(data))):
                for field in dataclasses.fields(one):
                    assert str(getattr(one, field.name)) == str(getattr(data, field.name))
            yield {"score": 0.5}
    """)
    assert scores(list(trainer_of(name, xor).run(1))) == [(1, 0.5)]


def test_the_function_may_ask_for_the_full_length(write: Write, xor: TrainingData) -> None:
    name = write("""
        def train(params, data, seed, n_epochs):
            yield {"score": n_epochs}
    """)
    assert scores(list(trainer_of(name, xor, n_epochs=77).run(1))) == [(1, 77.0)]


@pytest.mark.parametrize("text", [WITHOUT_STATE, WITH_STATE], ids=["without", "with-state"])
@pytest.mark.parametrize("pause", [4, 5, 6])
def test_the_last_scores_of_a_function_that_ends_early_stand_for_later_epochs(
    pause: int, text: str, write: Write, xor: TrainingData
) -> None:
    name = write(text)
    whole = trainer_of(name, xor)
    found = scores(list(whole.run(8)))
    assert [epoch for epoch, _ in found] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert {score for _, score in found[5:]} == {found[4][1]}
    assert found[4][1] > found[3][1]
    assert whole.ended(0) == 5
    first = trainer_of(name, xor)
    begun = scores(list(first.run(pause)))
    second = trainer_of(name, xor, first.state(0))
    assert begun + scores(list(second.run(8))) == found
    assert second.ended(0) == 5


def test_a_function_that_goes_on_has_not_ended(write: Write, xor: TrainingData) -> None:
    trainer = trainer_of(write(WITHOUT_STATE), xor)
    assert len(list(trainer.run(5))) == 5
    assert trainer.ended(0) == 0


def test_a_function_that_yields_nothing_is_refused(write: Write, xor: TrainingData) -> None:
    trainer = trainer_of(write("def train(params, data, seed):\n    yield from []"), xor)
    with pytest.raises(ValueError, match="must yield metrics after every epoch, got none"):
        list(trainer.run(2))


@pytest.mark.parametrize(
    ("arguments", "value", "message"),
    [
        ("", "0.5", "must yield a dict of metrics, got float"),
        ("", '({"score": 1.0}, 3)', "must yield a dict of metrics, got tuple"),
        (", state", '{"score": 1.0}', r"must yield \(metrics, state\), .* got dict"),
        (", state", "(1, 2, 3)", r"must yield \(metrics, state\), .* got tuple"),
        (", state", "(1, 2)", "must yield a dict of metrics, got int"),
    ],
)
def test_a_wrong_type_is_refused_by_name(
    arguments: str, value: str, message: str, write: Write, xor: TrainingData
) -> None:
    name = write(f"""
        def train(params, data, seed{arguments}):
            yield {value}
    """)
    with pytest.raises(ValueError, match=f"{name} {message}"):
        next(iter(trainer_of(name, xor).run(1)))


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return 0.9",
            "must yield a dict of metrics after every epoch, got a return of float 0.9",
        ),
        ("return None", "got a return of None: write yield instead of return"),
        ('return {"a": 1.0}', r"got a return of dict \{'a': 1.0\}: write yield"),
        ('return {"a": 1.0}, seed', r"got a return of tuple \(\{'a': 1.0\}"),
        ("return [0.9]", r"must yield a dict of metrics, got float 0.9: yield e.g."),
        ("yield None", "must yield a dict of metrics, got None"),
        ('yield {"a": [0.1, 0.2]}', r"a number for the metric 'a', got list \[0.1, 0.2\]"),
        ('yield {"a": None}', "a number for the metric 'a', got None"),
        ('yield {"a": "0.9"}', "a number for the metric 'a', got str '0.9'"),
        ('yield {"a": data.x_train}', r"a number for the metric 'a', got ndarray array\("),
        ('yield {"a": "x" * 999}', "got str 'x{78}…"),
    ],
)
def test_what_is_no_metric_is_told_with_the_function_and_the_value(
    body: str, message: str, write: Write, xor: TrainingData
) -> None:
    name = write(f"def train(params, data, seed):\n    {body}")
    with pytest.raises(ValueError, match=message) as caught:
        list(trainer_of(name, xor).run(1))
    assert str(caught.value).startswith(f"{name} must yield")


def test_numbers_of_any_library_are_metrics(write: Write, xor: TrainingData) -> None:
    name = write("""
        import numpy as np

        def train(params, data, seed):
            yield {"a": np.float32(0.5), "b": np.array([0.5]), "c": np.array(0.5), "d": True}
    """)
    (step,) = trainer_of(name, xor).run(1)
    assert [float(value[0]) for value in step.metrics.values()] == [0.5, 0.5, 0.5, 1.0]


@pytest.mark.parametrize(
    "arguments",
    ["", "config", "params, data", "state, params, data, seed", "params, data, seed, x"],
)
def test_a_function_with_other_arguments_is_a_mistake_of_the_study_file(
    arguments: str, write: Write
) -> None:
    name = write(f"def train({arguments}): yield {{}}")
    with pytest.raises(StudyFileError) as caught:
        load_training_function(name)
    message = str(caught.value)
    assert "must take params, data and seed, in this order, or params and seed" in message
    assert f"got train({arguments}): write def train(params, data, seed, state=None)" in message


@pytest.mark.parametrize(
    "arguments",
    [
        "params, data, seed",
        "a, b, c",
        "*all",
        "params, data, seed, *, state, n_epochs",
        "p, *rest",
    ],
)
def test_a_function_that_can_be_called_is_taken(arguments: str, write: Write) -> None:
    assert callable(load_training_function(write(f"def train({arguments}): yield {{}}")))


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (
            "__main__:train",
            r'beside the study file, e\.g\. own\.py, and write trainer = "own:train"',
        ),
        ("own.py:train", "must name a module, not its file: write 'own:train'"),
        ("sklearn.svm:SVC", "must be written with a dot, .*: 'sklearn.svm.SVC'"),
    ],
)
def test_what_is_written_otherwise_is_told_how(path: str, message: str) -> None:
    with pytest.raises(StudyFileError, match=message):
        load_training_function(path)


def test_a_module_that_is_not_there_is_a_mistake_of_the_study_file() -> None:
    with pytest.raises(StudyFileError, match="'nowhere:train' must be importable"):
        load_function("nowhere:train")


def test_a_function_that_is_not_there_is_a_mistake_of_the_study_file(write: Write) -> None:
    with pytest.raises(StudyFileError, match="has no attribute 'train'"):
        load_function(write("def other(): ..."))


def test_a_name_that_is_no_function_is_a_mistake_of_the_study_file(write: Write) -> None:
    with pytest.raises(StudyFileError, match="must be a function, got int"):
        load_function(write("train = 3"))


BY_CHECKPOINT = """
    import json

    def train(params, data, seed, checkpoint):
        epoch = json.loads(checkpoint.read_text()) if checkpoint.exists() else 0
        while epoch < params.get("until", 99):
            epoch += 1
            with open(params["count"], "a") as count:
                count.write(f"{epoch} ")
            if epoch % params.get("every", 1) == 0:
                checkpoint.write_text(json.dumps(epoch))
            yield {"a": 1 / epoch}, epoch
"""


@pytest.fixture
def kept(write: Write, xor: TrainingData, tmp_path: Path) -> Callable[..., FunctionTrainer]:
    name = write(BY_CHECKPOINT)

    def make(state: bytes | None = None, **params: int) -> FunctionTrainer:
        given: dict[str, ParamValue] = {"trainer": name, "count": str(tmp_path / "count")}
        given |= params
        one = Member(given, (0, 0, 0, 0), 0, state, folder=str(tmp_path / "member-0"))
        return FunctionTrainer([one], xor, n_epochs=9)

    return make


def test_a_function_with_a_checkpoint_goes_on_from_it(
    kept: Callable[..., FunctionTrainer], tmp_path: Path
) -> None:
    trainer = kept()
    assert [step.epoch for step in trainer.run(2)] == [1, 2]
    state = trainer.state(0)
    assert state is not None
    assert len(state) < 300
    steps = list(kept(state).run(4))
    assert [(s.epoch, s.metrics["a"][0]) for s in steps] == [(3, 1 / 3), (4, 1 / 4)]
    assert (tmp_path / "count").read_text() == "1 2 3 4 "


def test_epochs_that_a_kill_left_unreported_are_not_trained_again(
    kept: Callable[..., FunctionTrainer], tmp_path: Path
) -> None:
    trainer = kept()
    steps = trainer.run(9)
    next(steps)
    state = trainer.state(0)  # the last that was heard of it
    assert [next(steps).epoch for _ in range(3)] == [2, 3, 4]
    assert [(s.epoch, s.metrics["a"][0]) for s in kept(state).run(5)] == [
        (2, 1 / 2),
        (3, 1 / 3),
        (4, 1 / 4),
        (5, 1 / 5),
    ]
    assert (tmp_path / "count").read_text() == "1 2 3 4 5 "
    assert [step.epoch for step in kept().run(5)] == [1, 2, 3, 4, 5]  # no state was heard of
    assert (tmp_path / "count").read_text() == "1 2 3 4 5 "


def test_a_checkpoint_of_older_or_unknown_epochs_gives_the_same_curve(
    kept: Callable[..., FunctionTrainer], tmp_path: Path
) -> None:
    trainer = kept(every=3)
    list(trainer.run(4))
    state = trainer.state(0)
    assert [step.epoch for step in kept(state, every=3).run(6)] == [5, 6]
    assert (tmp_path / "count").read_text() == "1 2 3 4 4 5 6 "
    (tmp_path / "member-0" / "checkpoint").write_text("8")  # 5 to 8 are nobody's
    (tmp_path / "member-0" / ".hpsearch" / "metrics.jsonl").unlink()
    assert [step.epoch for step in kept(state, every=3).run(6)] == [5, 6]
    assert (tmp_path / "count").read_text().endswith("4 5 6 9 1 2 3 4 5 6 ")


def test_a_function_takes_a_state_or_a_checkpoint(write: Write) -> None:
    name = write("def train(params, data, seed, state, checkpoint): yield {}, 1")
    with pytest.raises(StudyFileError, match="must take state or checkpoint, got both"):
        load_training_function(name)
