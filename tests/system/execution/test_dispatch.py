"""The dispatcher: all jobs arrive, whatever breaks under some of them."""

import math
import re
import signal
from collections import defaultdict
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import Executor, Future
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpsearch.datasets.selection import Selection
from hpsearch.datasets.split_kinds import KFold
from hpsearch.execution import population
from hpsearch.execution.dispatch import AttemptLimits, Dispatcher
from hpsearch.execution.executors import InlineExecutor, ProcessExecutor
from hpsearch.execution.jobs import Job, Key, Report
from hpsearch.execution.limits import Allowance
from hpsearch.execution.slices import Slice, SliceSettings
from hpsearch.trainers import Member

DATA = Selection("digits", shots=6, split=KFold(3))

# Kills its own process in epoch 2, `params["deaths"]` times in all; each death leaves a file.
HOW = "SIGKILL, as where memory is short"
DEADLY = """
    import os, pathlib, signal

    def train(params, data, seed):
        for epoch in (1, 2, 3):
            folder = pathlib.Path(params["folder"])
            if epoch == 2 and len(list(folder.glob("death*"))) < params["deaths"]:
                (folder / f"death{os.getpid()}").touch()
                os.kill(os.getpid(), signal.SIGKILL)
            yield {"validation_accuracy": seed % 1000 + epoch}
"""


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessExecutor]:
    """Two worker processes for all tests of this module."""
    with ProcessExecutor(2) as executor:
        yield executor


class Recording(InlineExecutor):
    """Runs slices in this process and keeps them."""

    def __init__(self) -> None:
        self.slices: list[Slice] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.slices += args
        return super().submit(fn, *args, **kwargs)


class Deadly(Executor):
    """Runs slices in a pool, but the worker of each of the first `deaths` is killed."""

    def __init__(self, pool: ProcessExecutor, deaths: int) -> None:
        self._pool, self._deaths = pool, deaths
        self.slices: list[Slice] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.slices += args
        if len(self.slices) <= self._deaths:
            return self._pool.submit(signal.raise_signal, signal.SIGKILL)
        return self._pool.submit(fn, *args, **kwargs)


def job(number: int, epoch: int = 0, state: bytes | None = None, **params: Any) -> Job:
    own = {"trainer": ("sgd", "momentum", "adam")[number % 3], "network": "two-layer"}
    shape = {"hidden": 12, "batch_size": 5, "learning_rate": 0.01}
    member = Member({**own, **shape, **params}, (7, number), number % 3, state)
    return Job(("study", number), member, epoch)


def dispatcher(
    executor: Executor,
    *,
    workers: int = 1,
    seconds: float = math.inf,
    folder: str = "",
    **limits: Any,
) -> Dispatcher:
    settings = SliceSettings(DATA, "validation", 3, seconds, folder)
    return Dispatcher(executor, settings, AttemptLimits(**limits), workers=workers)


def run(dispatch: Dispatcher, jobs: list[Job], until: int = 3) -> dict[Key, list[Report]]:
    reports = defaultdict(list)
    for group in dispatch.run([jobs], until):
        for report in group:
            reports[report.key].append(report)
    return dict(reports)


def curves(reports: dict[Key, list[Report]]) -> dict[Key, list[dict[str, float]]]:
    return {
        key: [dict(row) for r in own if r.advance is not None for _, row in r.advance.rows]
        for key, own in reports.items()
    }


def events(reports: list[Report]) -> list[str]:
    return [report.event for report in reports]


def state_after(one: Job, epochs: int) -> bytes | None:
    ((report,),) = run(dispatcher(InlineExecutor()), [one], epochs).values()
    assert report.advance is not None
    return report.advance.state


def ends(reports: list[Report]) -> bytes | None:
    """The state after the last slice."""
    advance = reports[-1].advance
    assert advance is not None
    return advance.state


def test_members_of_one_shape_and_epoch_train_together() -> None:
    executor = Recording()
    paused = job(3, epoch=1, state=state_after(job(3), 1))
    jobs = [job(0), job(1, hidden=20), job(2), paused, job(4)]
    run(dispatcher(executor), jobs)
    groups = sorted(sorted(m.entropy[1] for m in work.members) for work in executor.slices)
    assert groups == [[0, 2, 4], [1], [3]]


def test_a_population_is_never_larger_than_the_cache_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    n_weights = 64 * 12 + 12 + 12 * 10 + 10
    monkeypatch.setattr(population, "l2_cache_bytes", lambda: 3 * 8 * n_weights)
    executor = Recording()
    run(dispatcher(executor), [job(i) for i in range(10)])
    assert [len(work.members) for work in executor.slices] == [2, 3, 2, 3]


def test_jobs_are_shared_out_among_the_workers() -> None:
    executor = Recording()
    run(dispatcher(executor, workers=4), [job(i) for i in range(8)])
    assert [len(work.members) for work in executor.slices] == [2, 2, 2, 2]


def test_every_job_arrives_with_all_its_epochs() -> None:
    reports = run(dispatcher(InlineExecutor(), seconds=0), [job(i) for i in range(5)])
    assert set(reports) == {("study", i) for i in range(5)}
    for own in reports.values():
        assert events(own) == ["advanced"] * 3
        assert [len(r.advance.rows) for r in own if r.advance] == [1, 1, 1]


@pytest.mark.parametrize("seconds", [0, math.inf])
def test_processes_and_slices_of_any_length_give_the_same_bits(
    seconds: float, pool: ProcessExecutor
) -> None:
    jobs = [job(i) for i in range(5)] + [job(i, hidden=20) for i in range(5, 8)]
    inline = run(dispatcher(InlineExecutor()), jobs)
    spread = run(dispatcher(pool, workers=2, seconds=seconds), jobs)
    assert curves(spread) == curves(inline)
    for key, own in spread.items():
        assert own[-1].advance is not None
        assert inline[key][-1].advance is not None
        assert ends(own) == ends(inline[key])


def test_a_job_that_raises_fails_alone() -> None:
    jobs = [job(0), job(3, learning_rate=-1.0), job(6)]
    reports = run(dispatcher(InlineExecutor()), jobs)
    (broken,) = reports.pop(("study", 3))
    assert broken.event == "failed"
    assert "learning_rate must be a number above 0, got -1.0" in broken.reason
    assert curves(reports) == curves(run(dispatcher(InlineExecutor()), [jobs[0], jobs[2]]))


def test_a_function_that_raises_is_told_with_its_own_words(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    name = write("""
        def train(params, data, seed):
            yield {"validation_accuracy": 1.0}
            raise RuntimeError("the user's own words")
    """)
    reports = run(dispatcher(InlineExecutor(), folder=str(tmp_path)), [job(0, trainer=name)])
    assert events(reports["study", 0]) == ["failed"]
    assert "RuntimeError: the user's own words" in reports["study", 0][0].reason


def test_a_diverged_job_is_not_sent_again() -> None:
    jobs = [job(0), job(3, learning_rate=1e30)]
    reports = run(dispatcher(InlineExecutor(), seconds=0), jobs)
    (diverged,) = reports["study", 3]
    assert diverged.advance is not None
    assert diverged.advance.diverged
    assert len(reports["study", 0]) == 3


def test_time_is_shared_among_the_members_of_a_population() -> None:
    (first,), (second,) = run(dispatcher(InlineExecutor()), [job(0), job(3)]).values()
    assert first.use is not None
    assert first.use == second.use
    assert first.use.wall_seconds > first.use.opening_seconds > 0
    assert first.use.peak_bytes > 1e6


def deadly(name: str, folder: Path, deaths: int) -> Job:
    params: dict[str, Any] = {"trainer": name, "folder": str(folder), "deaths": deaths}
    return Job(("study", 99), Member(params, (7, 99), 0))


def test_a_member_whose_worker_dies_three_times_fails_and_the_others_finish(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    killer = deadly(write(DEADLY), tmp_path, 1000)
    jobs = [job(i) for i in range(4)]
    reports = run(dispatcher(pool, workers=2, folder=str(tmp_path)), [killer, *jobs])
    fate = reports.pop(("study", 99))
    assert events(fate) == ["lost", "lost", "failed"]
    assert fate[-1].reason == f"worker died 3 times, the last time alone ({HOW})"
    assert len(list(tmp_path.glob("death*"))) == 3
    assert curves(reports) == curves(run(dispatcher(InlineExecutor()), jobs))


def test_a_member_whose_worker_died_once_recovers_to_the_same_result(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    name = write(DEADLY)
    folder = str(tmp_path)
    calm = run(dispatcher(InlineExecutor(), folder=folder), [deadly(name, tmp_path, 0)])
    shaken = run(dispatcher(pool, workers=2, folder=folder), [deadly(name, tmp_path, 1)])
    assert events(shaken["study", 99]) == ["lost", "advanced"]
    assert curves(shaken) == curves(calm)


def test_a_population_whose_worker_died_is_sent_again_whole(pool: ProcessExecutor) -> None:
    jobs, executor = [job(i) for i in range(3)], Deadly(pool, deaths=1)
    reports = run(dispatcher(executor), jobs)
    assert all(events(own) == ["lost", "advanced"] for own in reports.values())
    assert [len(work.members) for work in executor.slices] == [3, 3]
    assert curves(reports) == curves(run(dispatcher(InlineExecutor()), jobs))


def test_a_population_that_lost_two_workers_is_taken_apart(pool: ProcessExecutor) -> None:
    jobs, executor = [job(i) for i in range(3)], Deadly(pool, deaths=3)
    reports = run(dispatcher(executor), jobs)
    assert [len(work.members) for work in executor.slices] == [3, 3, 1, 1, 1]
    ends = sorted(events(own)[2:] for own in reports.values())
    assert ends == [["advanced"], ["advanced"], ["failed"]]


def test_leaving_in_the_middle_leaves_the_executor_usable(pool: ProcessExecutor) -> None:
    groups = dispatcher(pool, workers=2, seconds=0).run([[job(i) for i in range(6)]], 3)
    next(groups)
    assert isinstance(groups, Generator)
    groups.close()
    assert len(run(dispatcher(pool, workers=2), [job(0)])) == 1


def test_the_next_batch_is_made_while_the_workers_are_busy(pool: ProcessExecutor) -> None:
    asked = []

    def batches() -> Iterator[list[Job]]:
        for first in (0, 2, 4):
            asked.append(first)
            yield [job(first), job(first + 1)]

    groups = dispatcher(pool, workers=1).run(batches(), 3)
    first = next(groups)
    assert asked == [0, 2, 4][: len(asked)]
    assert len(asked) >= 2
    reports = {report.key: [report] for group in (first, *groups) for report in group}
    assert asked == [0, 2, 4]
    assert curves(reports) == curves(run(dispatcher(InlineExecutor()), [job(i) for i in range(6)]))


def test_batches_of_nothing_are_passed_over() -> None:
    batches = [[], [job(0)], [], []]
    (group,) = dispatcher(InlineExecutor()).run(batches, 3)
    assert [report.event for report in group] == ["advanced"]


def test_a_population_that_passes_a_limit_is_taken_apart(pool: ProcessExecutor) -> None:
    slow: dict[str, Any] = {
        "hidden": 200,
        "batch_size": 1,
    }  # no machine trains it within the limit
    jobs = [replace(job(i, **slow), key=(f"trial {i}", 0)) for i in range(3)]
    reports = run(dispatcher(pool, allowance=Allowance(seconds=1e-4)), jobs)
    assert [events(own) for own in reports.values()] == [["crowded", "failed"]] * 3
    assert {own[-1].limit for own in reports.values()} == {"seconds"}
    roomy = dispatcher(pool, workers=2, allowance=Allowance(seconds=1e4, memory_mb=1e5))
    assert curves(run(roomy, jobs)) == curves(run(dispatcher(InlineExecutor()), jobs))


def test_a_limit_ends_all_members_of_its_trial_and_no_other(pool: ProcessExecutor) -> None:
    spent = [replace(job(i), key=("spent", i), spent=10.0) for i in range(2)]
    fresh = replace(job(2), key=("fresh", 0))
    reports = run(dispatcher(pool, allowance=Allowance(seconds=10.0)), [*spent, fresh])
    ends = sorted(own[-1].event for own in reports.values())
    assert ends == ["advanced", "dropped", "failed"]
    assert reports["fresh", 0][-1].event == "advanced"
    assert events(reports["fresh", 0]) == ["crowded", "advanced"]  # they shared a population


def test_what_raised_is_tried_again_as_often_as_asked(
    write: Callable[[str], str], tmp_path: Path
) -> None:
    name = write("""
        import pathlib

        def train(params, data, seed):
            for epoch in (1, 2, 3):
                folder = pathlib.Path(params["folder"])
                if epoch == 2 and len(list(folder.glob("fault*"))) < 2:
                    (folder / f"fault{len(list(folder.glob('fault*')))}").touch()
                    raise OSError("the server is away")
                yield {"validation_accuracy": epoch}
    """)
    flaky = deadly(name, tmp_path, 0)
    once = run(dispatcher(InlineExecutor(), folder=str(tmp_path), retries=1), [flaky])
    assert events(once["study", 99]) == ["raised", "failed"]
    for marker in tmp_path.glob("fault*"):
        marker.unlink()
    twice = run(dispatcher(InlineExecutor(), folder=str(tmp_path), retries=2), [flaky])
    assert events(twice["study", 99]) == ["raised", "raised", "advanced"]
    assert "the server is away" in twice["study", 99][0].reason


def test_fewer_workers_may_die_under_a_member_where_that_is_asked_for(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    killer = deadly(write(DEADLY), tmp_path, 1000)
    reports = run(dispatcher(pool, folder=str(tmp_path), lost_attempts=2), [killer])
    assert events(reports["study", 99]) == ["lost", "failed"]
    assert len(list(tmp_path.glob("death*"))) == 2


def test_a_member_whose_state_is_further_than_its_record_fails_instead_of_going_round() -> None:
    first = run(dispatcher(InlineExecutor()), [job(0)])
    (advance,) = [r.advance for r in first["study", 0] if r.advance is not None]
    reports = run(dispatcher(InlineExecutor()), [job(0, epoch=1, state=advance.state)])
    assert [report.event for report in reports["study", 0]] == ["failed"]
    assert "must train at least one epoch" in reports["study", 0][0].reason


def gained(reports: list[Report]) -> list[int]:
    """Epochs, of each report that something was gained in."""
    return [report.advance.epochs for report in reports if report.advance is not None]


def test_a_slice_that_cannot_pause_is_reported_while_it_runs(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    one, folder = deadly(write(DEADLY), tmp_path, 0), str(tmp_path)
    (reports,) = run(dispatcher(pool, seconds=0, folder=folder), [one]).values()
    assert [(r.event, r.partial) for r in reports] == [
        ("advanced", True),
        ("advanced", True),
        ("advanced", False),
    ]
    assert gained(reports) == [1, 1, 1]
    first, second, last = reports
    assert (first.ran, second.ran) == (None, None)
    assert last.ran is not None
    assert first.use is not None
    assert last.ran.began == first.use.began
    assert last.ran.wall_seconds == pytest.approx(sum(r.wall_seconds for r in reports))
    whole = run(dispatcher(InlineExecutor(), seconds=0, folder=folder), [one])
    assert gained(whole["study", 99]) == [3]
    assert curves({one.key: reports}) == curves(whole)
    assert ends(reports) == ends(whole["study", 99])


def test_a_member_goes_on_from_what_was_told_before_its_worker_died(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    name, folder = write(DEADLY), str(tmp_path)
    calm = run(dispatcher(InlineExecutor(), folder=folder), [deadly(name, tmp_path, 0)])
    shaken = run(dispatcher(pool, seconds=0, folder=folder), [deadly(name, tmp_path, 1)])
    reports = shaken["study", 99]
    assert events(reports) == ["advanced", "lost", "advanced", "advanced"]
    assert [r.advance.kept for r in reports if r.advance] == [False, False, True]
    assert curves(shaken) == curves(calm)
    lost = reports[1]
    assert lost.ran is not None  # what was told of before is known of the slice
    assert lost.ran.wall_seconds == pytest.approx(reports[0].wall_seconds)
    fate = run(dispatcher(pool, seconds=0, folder=folder), [deadly(name, tmp_path, 1000)])
    assert events(fate["study", 99]) == ["advanced", "lost", "lost", "failed"]


def test_what_raised_after_news_is_tried_again_from_there(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    name = write("""
        import pathlib

        def train(params, data, seed):
            marker = pathlib.Path(params["folder"]) / "fault"
            for epoch in (1, 2, 3):
                if epoch == 2 and not marker.exists():
                    marker.touch()
                    raise OSError("the server is away")
                yield {"validation_accuracy": epoch}
    """)
    flaky = deadly(name, tmp_path, 0)
    (reports,) = run(
        dispatcher(pool, seconds=0, folder=str(tmp_path), retries=1), [flaky]
    ).values()
    assert events(reports) == ["advanced", "raised", "advanced", "advanced"]
    assert gained(reports) == [1, 1, 1]


def test_the_seconds_of_a_slice_that_is_reported_while_it_runs_count_once(
    write: Callable[[str], str], tmp_path: Path, pool: ProcessExecutor
) -> None:
    name = write("""
        import time

        def train(params, data, seed):
            while True:
                time.sleep(params["sleep"])
                yield {"validation_accuracy": 0.5}
    """)

    def trained(sleep: float) -> list[Report]:
        job = Job(("study", 1), Member({"trainer": name, "sleep": sleep}, (7, 1), 0))
        allowance = Allowance(seconds=2.0)
        limited = dispatcher(pool, seconds=0, folder=str(tmp_path), allowance=allowance)
        (reports,) = run(limited, [job]).values()
        return reports

    assert events(trained(0.5)) == ["advanced"] * 3
    reports = trained(0.8)
    assert events(reports) == ["advanced", "advanced", "failed"]
    assert reports[-1].limit == "seconds"
    found = re.search(r"(\d+\.\d+) s\b", reports[-1].reason)
    assert found is not None
    assert 2.0 <= float(found[1]) < 2.6


def test_a_stop_hears_what_is_told_until_it_gives_up(
    write: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = write("""
        import time

        def train(params, data, seed):
            yield {"validation_accuracy": 1}
            time.sleep(0.5)
            yield {"validation_accuracy": 2}
            time.sleep(60)
            yield {"validation_accuracy": 3}
    """)
    monkeypatch.setattr("hpsearch.execution.dispatch.LANDING_SECONDS", 3.0)
    settings = SliceSettings(DATA, "validation", 3, 0.0, str(tmp_path))
    found: list[Report] = []
    with ProcessExecutor(1) as own:
        stopped = Dispatcher(own, settings, workers=1, stop=lambda: len(found) > 0)
        for reports in stopped.run([[deadly(name, tmp_path, 0)]], 3):
            found += reports
        own.shutdown(cancel_futures=True)
    assert gained(found) == [1, 1]
