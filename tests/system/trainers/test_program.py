"""A program as a trainer: how it ends, what it prints, and that nothing of it is left."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from hpsearch.errors import TrialFailed
from hpsearch.records.seed_key import SeedKey
from hpsearch.trainers import Member, Progress, Split, TrainingData
from hpsearch.trainers.commands import Program
from hpsearch.trainers.programs.program import ProgramTrainer
from tests.harness.programs import gone, running
from tests.harness.study_files import REPOSITORY

NONE = np.empty(0, np.intp)
DATA = TrainingData(np.empty((0, 0)), np.empty(0), n_classes=0, splits=[Split(NONE, NONE)])


def member(folder: Path, script: str, **options: object) -> Member:
    """Of a shell script that has the epochs to reach and its folder as $1 and $2."""
    command = ("sh", "-c", script.replace("{", "{{").replace("}", "}}"), "sh")
    program = Program(
        command=(*command, "{epochs}", "{folder}"),
        metrics=("loss",),
        workdir=str(folder),
        **options,  # type: ignore[arg-type]
    )
    own = folder / "trial"
    return Member({"trainer": "program"}, SeedKey(0, 0, 0, 0), 0, folder=str(own), program=program)


def trainer(one: Member) -> ProgramTrainer:
    return ProgramTrainer([one], DATA, n_epochs=10)


def losses(steps: list[Progress]) -> list[tuple[int, float]]:
    return [(s.epoch, float(s.metrics["loss"][0])) for s in steps if s.metrics]


def run(one: Member, until: int) -> list[tuple[int, float]]:
    return losses(list(trainer(one).run(until)))


def reason(one: Member, until: int = 2) -> str:
    with pytest.raises(TrialFailed) as caught:
        run(one, until)
    return str(caught.value)


EPOCHS = """
i=$(cat $2/checkpoint 2>/dev/null || echo 0)
while [ $i -lt $1 ]; do
    i=$((i + 1)); echo $i >> trained
    echo '{"epoch": '$i', "loss": 0.'$i'}'
    echo $i > $2/checkpoint
done
"""
CHECKPOINT = "{folder}/checkpoint"


@pytest.mark.parametrize(("checkpoint", "trained"), [(CHECKPOINT, 5), (None, 7)])
def test_a_program_goes_on_where_it_was(
    tmp_path: Path, checkpoint: str | None, trained: int
) -> None:
    one = member(tmp_path, EPOCHS, checkpoint=checkpoint)
    first = trainer(one)
    steps = list(first.run(2))
    on = trainer(replace(one, state=first.state(0)))
    steps += list(on.run(5))
    assert losses(steps) == [(i, i / 10) for i in range(1, 6)]
    assert len((tmp_path / "trained").read_text().split()) == trained
    assert first.printed(0).count("loss") == 2
    assert on.printed(0).count("loss") == trained - 2


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("echo a >&2; echo oh >&2; exit 3", "program ended with exit code 3; stderr:\na\noh"),
        ("kill -s SEGV $$", "program was ended by SIGSEGV"),
        ("kill -s KILL $$", "program was ended by SIGKILL (the machine's memory may have"),
        ("echo hello", "program must print loss, got exit code 0 and no line with it: print a "),
        ('echo \'{"epoch": 1, "other": 2}\'', "program must print loss, got exit code 0"),
        ('echo \'{"loss": "high"}\'', "must print a number for the metric 'loss', got 'high'"),
        (
            'echo \'{"loss": 1}\'; echo \'{"loss": 1, "new": 2}\'',
            "program must print the same metrics every epoch, got loss, new after loss",
        ),
        ("head -c 5000000 /dev/urandom >&2; exit 1", "program ended with exit code 1; stderr:\n"),
    ],
)
def test_what_fails_says_why(tmp_path: Path, script: str, said: str) -> None:
    found = reason(member(tmp_path, script))
    assert said in found
    assert len(found) < 2000
    assert all(sign.isprintable() or sign == "\n" for sign in found)


@pytest.mark.parametrize(
    "line",
    [
        "RuntimeError: CUDA out of memory. Tried to allocate 2.00 GiB",
        "torch.cuda.OutOfMemoryError: HIP out of memory",
        "jaxlib.xla_extension.XlaRuntimeError: RESOURCE_EXHAUSTED: Out of memory while",
    ],
)
def test_a_gpu_without_memory_is_a_limit(tmp_path: Path, line: str) -> None:
    one = member(tmp_path, f"echo '{line}' >&2; exit 1")
    with pytest.raises(TrialFailed) as caught:
        run(one, 2)
    assert caught.value.limit == "gpu_memory"
    assert f"program ran out of GPU memory; stderr:\n{line}" in str(caught.value)


def test_a_program_that_does_not_stop_is_stopped_at_the_length(tmp_path: Path) -> None:
    script = f"i=0; while :; do i=$((i+1)); echo '{{\"loss\": '$i'}}'; done; : {tmp_path}/mark"
    assert run(member(tmp_path, script), 3) == [(1, 1.0), (2, 2.0), (3, 3.0)]
    assert gone(f"{tmp_path}/mark", 0)


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    script = f"""
        sh -c 'trap "" TERM; echo >&3; while :; do sleep 0.1; done; : {tmp_path}/mark' 3>ready &
        while [ ! -s ready ]; do sleep 0.05; done
        echo '{{"epoch": '$1', "loss": 1}}'
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("hpsearch.trainers.programs.program_process.GRACE_SECONDS", 0.5)
        assert run(member(tmp_path, script), 2) == [(2, 1.0)]
    assert gone(f"{tmp_path}/mark", 0)


FLOOD = """
echo '{"epoch": 1, "loss": 0.1}'
head -c 130000000 /dev/zero | tr '\\\\0' 'x' | fold -w 100
echo
echo '{"epoch": 2, "loss": 0.2}'
"""


def test_much_output_is_read_in_time_and_takes_no_memory(tmp_path: Path) -> None:
    code = (
        "import resource, sys\n"
        "from pathlib import Path\n"
        "from tests.system.trainers.test_program import FLOOD, member, trainer, losses\n"
        "one = trainer(member(Path(sys.argv[1]), FLOOD, checkpoint=sys.argv[2] or None))\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = losses(list(one.run(2)))\n"
        "grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before\n"
        "log = one.printed(0)\n"
        "import json; print(json.dumps([found, grown, len(log), log[-5000:]]))\n"
    )
    for checkpoint in ("", CHECKPOINT):
        began = time.monotonic()
        command = [sys.executable, "-c", code, str(tmp_path), checkpoint]
        done = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, check=True)
        found, grown, length, end = json.loads(done.stdout)
        assert found == [[1, 0.1], [2, 0.2]]
        assert grown < 60_000  # kilobytes
        assert time.monotonic() - began < 60
        assert 1_000_000 < length < 1_010_000
        assert "more bytes were printed; the last ones:)" in end
        assert end.rstrip().endswith('{"epoch": 2, "loss": 0.2}')
        kept = tmp_path / "trial/.hpsearch/out"
        assert kept.stat().st_size < 100_000_000
        assert kept.read_text().startswith('{"epoch": 1, "loss": 0.1}\n')  # a restart finds it


def test_binary_output_is_log(tmp_path: Path) -> None:
    one = trainer(member(tmp_path, "head -c 100000 /dev/urandom; echo; echo '{\"loss\": 1}'"))
    assert losses(list(one.run(1))) == [(1, 1.0)]
    assert len(one.printed(0)) > 1000


def test_a_line_that_a_kill_cut_is_no_metric_line(tmp_path: Path) -> None:
    one = member(tmp_path, EPOCHS, checkpoint=CHECKPOINT)
    own = tmp_path / "trial/.hpsearch"
    own.mkdir(parents=True)
    (own / "out").write_text('{"epoch": 1, "loss": 0.1}\n{"epoch": 2, "loss": 0.')
    (own / "process.json").write_text('{"pid": 99999999, "birth": ""}')
    (tmp_path / "trial/checkpoint").write_text("1")
    assert run(one, 3) == [(1, 0.1), (2, 0.2), (3, 0.3)]
    assert (tmp_path / "trained").read_text().split() == ["2", "3"]


@pytest.mark.parametrize("saved", [2, 3])
def test_what_was_saved_and_never_printed_is_trained_again(tmp_path: Path, saved: int) -> None:
    one = member(tmp_path, EPOCHS, checkpoint=CHECKPOINT)
    own = tmp_path / "trial/.hpsearch"
    own.mkdir(parents=True)
    (own / "out").write_text('{"epoch": 1, "loss": 0.1}\n')
    (own / "process.json").write_text('{"pid": 99999999, "birth": ""}')
    (tmp_path / "trial/checkpoint").write_text(str(saved))
    assert run(one, 3) == [(1, 0.1), (2, 0.2), (3, 0.3)]


def test_a_program_that_has_nothing_left_to_print_is_tried_once_more(tmp_path: Path) -> None:
    one = member(tmp_path, EPOCHS, checkpoint=CHECKPOINT)
    first = trainer(one)
    list(first.run(2))
    lost = tmp_path / "trial/.hpsearch/out"
    lost.unlink()
    on = replace(one, state=first.state(0))
    assert run(on, 3) == [(3, 0.3)]
    lost.unlink()
    quiet = member(tmp_path, ":", checkpoint=CHECKPOINT)
    assert "must print loss, got exit code 0" in reason(replace(quiet, state=on.state), 3)


# A second between SIGTERM and SIGKILL.
HOLDER = (
    "import sys\nfrom pathlib import Path\n"
    "from hpsearch.trainers.programs import program_process as running\n"
    "running.GUARD = running.GUARD.replace(f'-lt {int(running.GRACE_SECONDS)} ', '-lt 1 ')\n"
    "running.GRACE_SECONDS = 1.0\n"
    "from tests.system.trainers.test_program import member, trainer\n"
    "list(trainer(member(Path(sys.argv[1]), sys.argv[2])).run(2))\n"
)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("stubborn", [False, True])
def test_a_program_ends_with_the_process_that_runs_it(
    tmp_path: Path, number: signal.Signals, stubborn: bool
) -> None:
    mark = f"{tmp_path}/mark"
    trap = 'trap "" TERM;' if stubborn else ""
    child = f"sh -c '{trap} while :; do sleep 0.1; done; : {mark} child'"
    script = f"{trap} {child} & while :; do sleep 0.1; done; : {mark}"
    command = [sys.executable, "-c", HOLDER, str(tmp_path), script]
    holder = subprocess.Popen(command, cwd=REPOSITORY)
    while len(running(f"{mark} child'")) < 2:
        assert holder.poll() is None
        time.sleep(0.1)
    holder.send_signal(number)
    assert gone(mark)
    holder.wait(15)


def test_a_program_that_is_killed_as_it_starts_leaves_nothing(tmp_path: Path) -> None:
    script = f"while :; do sleep 0.1; done; : {tmp_path}/mark"
    for tenth in range(8):
        command = [sys.executable, "-c", HOLDER, str(tmp_path), script]
        holder = subprocess.Popen(command, cwd=REPOSITORY, start_new_session=True)
        out = tmp_path / "trial/.hpsearch/out"
        out.unlink(missing_ok=True)
        while not out.exists():
            time.sleep(0.0005)
        time.sleep(tenth * 0.0005)
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
    assert gone(f": {tmp_path}/mark")


def test_a_program_of_before_is_ended_before_it_runs_again(tmp_path: Path) -> None:
    mark = f"{tmp_path}/mark"
    old = subprocess.Popen(
        ["sh", "-c", f"while :; do sleep 0.1; done; : {mark}"], start_new_session=True
    )
    own = tmp_path / "trial/.hpsearch"
    own.mkdir(parents=True)
    (own / "process.json").write_text(json.dumps({"pid": old.pid, "birth": ""}))
    with pytest.MonkeyPatch.context() as patch:  # it is a zombie until we look at its end
        patch.setattr("hpsearch.trainers.programs.program_process.GRACE_SECONDS", 0.5)
        assert run(member(tmp_path, EPOCHS), 1) == [(1, 0.1)]
    assert old.wait(1) == -signal.SIGTERM


def test_a_table_that_grows_is_read(tmp_path: Path) -> None:
    script = """
        [ -e $2/log.csv ] || echo epoch,loss > $2/log.csv
        i=$(($(wc -l < $2/log.csv) - 1))
        while [ $i -lt $1 ]; do i=$((i + 1)); echo $i,0.$i >> $2/log.csv; done
    """
    one = member(tmp_path, script, form="csv", source="log.csv", checkpoint=CHECKPOINT)
    first = trainer(one)
    steps = list(first.run(2))
    with (tmp_path / "trial/log.csv").open("a") as file:
        file.write("3,0.")
    steps += list(trainer(replace(one, state=first.state(0))).run(4))
    assert losses(steps) == [(1, 0.1), (2, 0.2), (3, 0.3), (4, 0.4)]
