"""What several tests use."""

from __future__ import annotations

import os
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

# One BLAS thread in this process too, as in workers; said before anything loads NumPy.
for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(name, "1")
os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")

# Tests interrupt processes; one started in the background of a shell has its children ignore that.
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A folder of stores of its own."""
    return tmp_path / "home"


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


SMALL = """\
# A small study.
name = "small"
seed = 7
objective = { metric = "validation_accuracy", direction = "maximize" }

[data]
name = "digits"
shots = 6
split = { kind = "k-fold", folds = 3 }

[network]
name = "two-layer"
hidden = 12

[space]
trainer = { choices = ["sgd", "momentum", "adam"] }
learning_rate = { low = 1e-3, high = 1e4, log = true }
momentum = { low = 0.5, high = 0.99, when = { trainer = "momentum" } }
weight_decay = 0.1                               # with the largest learning rates: diverges
batch_size = 10

[[stages]]
trials = 14
epochs = 2
[[stages]]
trials = 8
epochs = 4
[[stages]]
trials = 6
epochs = 8

[confirmation]
top = 2
seeds = 3
test_seeds = 2
"""
