"""Fixtures of all tiers. hpsearch loads late: the threads of NumPy are set by then."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.harness.batches import WriteBatch
from tests.harness.functions import STEADY, WriteModule
from tests.harness.started import sitecustomize as started
from tests.harness.stores import copied_stores, new_home
from tests.harness.study_files import SMALL, TINY, TWO

if TYPE_CHECKING:
    from hpsearch.records.run_folder import RunFolder

pytest_plugins = ["tests.harness.bytecode", "tests.harness.frozen", "tests.harness.grouping"]

# One BLAS thread in this process too, as in workers; said before anything loads NumPy.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
# Nor do processes keep bytecode: tests.harness.bytecode.
os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
for name in ("FACTOR", "JITTER"):  # a server that is away is asked again at once
    os.environ.setdefault(f"MLFLOW_HTTP_REQUEST_BACKOFF_{name}", "0")

# Tests interrupt processes; one started in the background of a shell has its children ignore that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def known_schema() -> Iterator[None]:
    """Optuna reads its migration scripts once, not again for every storage that is opened."""
    from optuna.storages import RDBStorage
    from optuna.storages._rdb.storage import _VersionManager

    storage = RDBStorage("sqlite://")
    newest = storage._version_manager.get_head_version()
    storage.remove_session()
    storage.engine.dispose()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_VersionManager, "get_head_version", lambda self: newest)
        yield


@pytest.fixture(scope="session")
def quick_files() -> Iterator[None]:
    """Files need not outlive the machine and new stores of MLflow are copies, here and in
    processes that are started from here; those find figures of one pixel, too:
    tests.harness.started."""
    with copied_stores(), pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda fd: None)
        patch.setenv("PYTHONPATH", str(Path(started.__file__).parent), prepend=os.pathsep)
        yield


@pytest.fixture(autouse=True)
def same_environment(request: pytest.FixtureRequest) -> Iterator[None]:
    """A test leaves the variables as it found them: the next ones' processes inherit them.

    Folders that its studies put on Python's path are taken off: each import would look there.
    """
    before, path = dict(os.environ), list(sys.path)
    yield
    sys.path[:] = path
    ours = ("MLFLOW_", "HPSEARCH_", "PYTHON")
    now = {k: v for k, v in os.environ.items() if k.startswith(ours) and before.get(k) != v}
    for name in now:
        del os.environ[name]
    assert not now, f"{request.node.nodeid} must leave the environment as it was, set {now}"


@pytest.fixture
def projector_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies of this process have their projector in a process of its own, as those of users."""
    from hpsearch.tracking.projection import Projection
    from tests.harness.projecting import METHODS

    for name, method in METHODS.items():
        monkeypatch.setattr(Projection, name, method)


@pytest.fixture
def without_mlflow(monkeypatch: pytest.MonkeyPatch) -> None:
    """Studies, also of processes, keep their records to themselves; MLflow hears of none."""
    from hpsearch.tracking.projection import Projection

    monkeypatch.setenv(started.WITHOUT_MLFLOW, "1")
    monkeypatch.setattr(Projection, "start", lambda self: None)
    monkeypatch.setattr(Projection, "keep_alive", lambda self: None)
    monkeypatch.setattr(Projection, "finish", lambda self, **_: True)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of stores of its own, which hold nothing."""
    return new_home(tmp_path / "home")


@pytest.fixture
def nowhere(tmp_path: Path) -> Path:
    """A home that is not there yet."""
    return tmp_path / "nowhere"


@pytest.fixture
def study_file(tmp_path: Path) -> Path:
    """A small, quick study on the digits with three stages."""
    path = tmp_path / "small.toml"
    path.write_text(SMALL)
    return path


@pytest.fixture
def small_files() -> Callable[[], AbstractContextManager[None]]:
    """A block in which no file of this process can grow past 2 kB, as if the disk were full."""

    @contextmanager
    def limited() -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (2000, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    return limited


@pytest.fixture
def real_mnist() -> None:
    """Skips where the real files are not; never downloads them."""
    folder = os.environ.get("HPSEARCH_DATA")
    if not folder or not (Path(folder) / "mnist").is_dir():
        pytest.skip("the real MNIST is not here: set HPSEARCH_DATA to the folder of mnist/")


@pytest.fixture(scope="package")  # the first after `quick` of its tier
def finished_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The stores after one small study; to be read only."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "tiny.toml").write_text(TINY)
    from hpsearch import run_study

    run_study(folder / "tiny.toml", home=new_home(folder / "home"), workers=0)
    return folder / "home"


@pytest.fixture
def copied_home(finished_home: Path, tmp_path: Path) -> Path:
    """A copy to be spoilt, with artifacts of its own."""
    from hpsearch.records.layout import Home
    from hpsearch.tracking.stores.own_store import follow_home

    shutil.copytree(finished_home, tmp_path / "home")
    follow_home(Home(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture(scope="package")  # the first after `quick` of its tier
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The home of the small study, run to its end in this process."""
    folder = tmp_path_factory.mktemp("finished")
    (folder / "small.toml").write_text(SMALL)
    from hpsearch import run_study

    run_study(folder / "small.toml", home=new_home(folder / "home"), workers=0)
    return folder / "home"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> WriteModule:
    """Writes a user's module under a name of its own; gives its trainer's name.

    Where it lies is for `code_folder`; Python's path is put back at the test's end.
    """
    monkeypatch.syspath_prepend(tmp_path)  # restores sys.path, which run_slice prolongs

    def write_module(text: str) -> str:
        name = "user_" + "".join(c if c.isalnum() else "_" for c in tmp_path.name)
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(text))
        return f"{name}:train"

    return write_module


@pytest.fixture
def steady(write: WriteModule) -> str:
    """A well-behaved training function that can pause."""
    return write(STEADY)


@pytest.fixture
def write_batch(tmp_path: Path) -> WriteBatch:
    """Writes a batch file beside small.toml; gives its path."""
    (tmp_path / "small.toml").write_text(SMALL)

    def write(text: str) -> Path:
        path = tmp_path / "batch.toml"
        path.write_text(text)
        return path

    return write


@pytest.fixture
def run_folder(home: Path) -> RunFolder:
    """The folder of a run of the study `demo`, as it is before the first trial."""
    from hpsearch.records.run_folder import RunFolder
    from tests.harness.projection import PARENT

    made = RunFolder(home / "studies" / "demo" / "1")
    made.artifacts.mkdir(parents=True)
    (made.artifacts / "study.toml").write_text("# A study.")
    made.write_json(made.files.parent, PARENT)
    return made


@pytest.fixture
def two(tmp_path: Path) -> Path:
    """A small study with two objectives and a constraint."""
    path = tmp_path / "two.toml"
    path.write_text(TWO)
    return path
