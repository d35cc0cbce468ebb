"""What a batch system or a container does to a study: preemption, process 1, its file systems."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from hpsearch import run_study, study_status
from tests.harness.kills import projected
from tests.harness.stores import new_home
from tests.harness.study import records, run, table
from tests.harness.study_files import TINY

LONG = TINY.replace("epochs = 8\n", "epochs = 600\n").replace("epochs = 4\n", "epochs = 200\n")
LONG = LONG.replace("seeds = 3\ntest_seeds = 2\n", "seeds = 2\ntest_seeds = 1\n")
LONG += "[evaluation]\nevery = 50\n[execution]\nslice_seconds = 0.2\n"


@pytest.fixture(scope="module")
def quiet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores of an undisturbed run, beside its file."""
    folder = tmp_path_factory.mktemp("quiet")
    (folder / "long.toml").write_text(LONG)
    run_study(folder / "long.toml", home=new_home(folder / "home"), workers=0)
    return folder / "home"


def to_all(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


@pytest.mark.parametrize("grace", [10.0, 0.0])
def test_a_preempted_job_goes_on_where_it_was(tmp_path: Path, quiet: Path, grace: float) -> None:
    # SLURM sends SIGCONT and SIGTERM to every process of a job at once, and SIGKILL to what is
    # left after a time of grace, which a site may set to nothing.
    path, home = quiet.parent / "long.toml", tmp_path / "home"
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    command += ["--workers", "2"]
    job = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
    while not list(home.glob("studies/small/1/trials/*/record.json")):
        assert job.poll() is None, job.communicate()[1]
        time.sleep(0.02)
    job_of = psutil.Process(job.pid)
    everybody = [job_of, *job_of.children(recursive=True)]
    for number in (signal.SIGCONT, signal.SIGTERM):
        to_all(everybody, number)
    if grace:
        _, err = job.communicate(timeout=grace)
        assert job.returncode == 130, err
        assert "Traceback" not in err
    to_all(everybody, signal.SIGKILL)
    job.communicate()
    _, left = psutil.wait_procs(everybody, timeout=10)
    assert not left

    again = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    assert again.returncode == 0, again.stderr
    assert table(home) == table(quiet)
    assert projected(home) == projected(quiet)


@pytest.mark.usefixtures("without_mlflow")
def test_a_study_that_is_process_1_ends_at_sigterm_and_goes_on(
    tmp_path: Path, quiet: Path
) -> None:
    # As in a container without an init: signals that it does not handle would be ignored.
    first = ["unshare", "--pid", "--fork", "--mount-proc"]
    if shutil.which("unshare") is None or subprocess.run([*first, "true"]).returncode != 0:
        pytest.skip("needs the right to make a namespace of processes (unshare --pid)")
    path, home = quiet.parent / "long.toml", tmp_path / "home"
    study = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    outer = subprocess.Popen([*first, *study, "--workers", "1"], stderr=subprocess.PIPE, text=True)
    while not list(home.glob("studies/small/1/trials/*/record.json")):
        assert outer.poll() is None, outer.communicate()[1]
        time.sleep(0.02)
    (process_1,) = psutil.Process(outer.pid).children()
    below = process_1.children(recursive=True)
    process_1.send_signal(signal.SIGTERM)
    _, err = outer.communicate(timeout=60)
    assert outer.returncode == 130, err
    assert "Traceback" not in err
    _, left = psutil.wait_procs(below, timeout=10)
    assert not left
    run(path, home)
    assert table(home) == table(quiet)


def with_mounts(*mounts: str) -> list[str]:
    """The beginning of a command that sees these mounts; skips where none are allowed."""
    script = f'({" && ".join(mounts)}) || exit 77; exec "$@"'
    begun = ["unshare", "--mount", "sh", "-c", script, "sh"]
    if shutil.which("unshare") is None or subprocess.run([*begun, "true"]).returncode != 0:
        pytest.skip("needs the right to make a mount namespace (unshare --mount)")
    return begun


@pytest.mark.usefixtures("without_mlflow")
def test_a_small_folder_for_temporary_files_and_no_shared_memory_are_enough(
    tmp_path: Path, home: Path
) -> None:
    small = tmp_path / "small"
    small.mkdir()
    begun = with_mounts(
        f"mount -t tmpfs -o size=1m tmpfs '{small}'", "mount -t tmpfs -o ro,size=4k tmpfs /dev/shm"
    )
    assert subprocess.run([*begun, "touch", "/dev/shm/x"], stderr=subprocess.DEVNULL).returncode
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    done = subprocess.run(
        [*begun, *command, "--workers", "2"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "TMPDIR": str(small)},
    )
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert study_status(home=home)["state"].tolist() == ["finished"]


def in_read_only_root(
    home: Path, writable: str, *command: str
) -> subprocess.CompletedProcess[str]:
    """Run a command where nothing but the home, and a temporary folder if any, can be written."""
    mounts = [f"mount --bind '{home}' '{home}'", "mount --bind / /"]
    mounts += [f"mount --bind '{home}' '{home}'", "mount -o remount,ro,bind /"]
    mounts += [f"mount -t tmpfs tmpfs {writable}"] if writable else []
    script = f'{" && ".join(mounts)} && exec "$@"'
    return subprocess.run(
        ["unshare", "--mount", "sh", "-c", script, "sh", *command],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )


@pytest.mark.parametrize("writable", ["/var/tmp", ""])
def test_a_read_only_root_needs_a_home_that_can_be_written_and_no_more(
    tmp_path: Path, writable: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    if shutil.which("unshare") is None or in_read_only_root(home, "", "true").returncode != 0:
        pytest.skip("needs the right to make a mount namespace (unshare)")
    assert in_read_only_root(home, "", "touch", str(tmp_path / "no")).returncode != 0
    assert in_read_only_root(home, "", "touch", str(home / "yes")).returncode == 0
    path = tmp_path / "tiny.toml"
    path.write_text(TINY)
    command = [sys.executable, "-m", "hpsearch", "study", str(path), "--home", str(home)]
    done = in_read_only_root(home, writable, *command, "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    (row,) = study_status(home=home).to_dict("records")
    assert row["state"] == "finished"
    n_trials = sum(name.startswith("trial-") for name, *_ in projected(home))
    assert n_trials == row["trials"]


EATS = """
def train(params, seed):
    held = bytearray(params["mb"] * 10**6)
    held[::4096] = bytes(1) * len(held[::4096])
    yield {"score": float(params["mb"])}
"""
GRID = """
name = "eats"
objective = { metric = "score", direction = "maximize" }
sampler = { name = "grid" }
space = { trainer = "eats_memory:train", mb = { choices = [10, 4000] } }
stages = [{ trials = 2, epochs = 1 }]
confirmation = { top = 1, seeds = 2, default = false }
"""


@pytest.fixture
def little_memory(tmp_path: Path) -> Iterator[Path]:
    """A control group whose processes have 1 GB together, as those of a container."""
    for top, limit in (("memory", "memory.limit_in_bytes"), ("", "memory.max")):
        group = Path("/sys/fs/cgroup", top, f"hpsearch-{os.getpid()}")
        try:
            group.mkdir()
            (group / limit).write_text(str(10**9))
        except OSError:
            with suppress(OSError):
                group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    pytest.skip("needs the right to make a control group")


def test_a_container_without_memory_costs_the_trial_that_takes_it(
    tmp_path: Path, home: Path, little_memory: Path
) -> None:
    (tmp_path / "eats_memory.py").write_text(EATS)
    (tmp_path / "eats.toml").write_text(GRID)
    command = [sys.executable, "-m", "hpsearch", "study", "eats.toml", "--home", str(home)]
    script = f'echo $$ > {little_memory}/cgroup.procs && exec "$@"'
    done = subprocess.run(
        ["sh", "-c", script, "sh", *command, "--workers", "1"],
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
        cwd=tmp_path,
    )
    assert done.returncode == 0, done.stderr
    (small, large) = records(home, "eats")
    assert (small.outcome, large.outcome) == ("complete", "failed")
    assert "SIGKILL, as where memory is short" in large.reason
