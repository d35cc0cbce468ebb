"""Addresses of Dask schedulers, before anything connects, and code on a worker."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpsearch.errors import HpsearchError
from hpsearch.execution.cluster import _Code, scheduler_address
from hpsearch.own_code import look_first_in
from hpsearch.trainers import load_function, trainer_kind
from tests.harness.study_mistakes import message

NONE = [
    "host",
    "dask://host",
    "dask://:8786",
    "ray://host:1",
    "dask://host:port",
    "dask://host:0",
    "dask://host:65536",
    "dask://host:\u00b2",
    "tls://host:99999999999999",
]


@pytest.mark.parametrize("text", NONE)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(HpsearchError, match="must be a Dask scheduler such as dask://host:8786"):
        scheduler_address(text)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("dask://host:8786", "tcp://host:8786"),
        ("tls://10.0.0.1:65535", "tls://10.0.0.1:65535"),
        ("dask://[::1]:1", "tcp://[::1]:1"),
    ],
)
def test_an_address_is_said_as_dask_does(text: str, address: str) -> None:
    assert scheduler_address(text) == address


@pytest.mark.parametrize("text", NONE)
def test_a_study_file_with_such_an_address_is_refused(text: str, study_file: Path) -> None:
    rule = "execution.executor: must be a Dask scheduler such as dask://host:8786, its port from 1"
    assert rule in message(study_file, f"execution.executor={text}")


@pytest.mark.parametrize("port", ["abc", "0", "99999"])
def test_a_warm_start_from_no_port_is_refused(port: str, study_file: Path) -> None:
    address = f"postgresql+psycopg://me@host:{port}/old"
    told = message(study_file, "warm_start.top=1", f"warm_start.storage={address}")
    assert (
        f"warm_start.storage: must have a port from 1 to 65535, or none, got '{address}'" in told
    )


@pytest.fixture
def as_worker() -> Iterator[None]:
    """This process stands for a worker's: what comes first on its path is put back."""
    before = list(sys.path)
    yield
    sys.path[:] = before


FUNCTION = """
def train(params, data, seed):
    yield {"score": FACTOR}
"""
ESTIMATOR = """
from sklearn.dummy import DummyClassifier

class Own(DummyClassifier):
    def __init__(self, strategy="prior", random_state=None, constant=None, extra_FACTOR=1):
        super().__init__(strategy=strategy, random_state=random_state, constant=constant)
        self.extra_FACTOR = extra_FACTOR
"""


@pytest.mark.usefixtures("as_worker")
@pytest.mark.parametrize("shared", [True, False], ids=["shared-disk", "own-disk"])
def test_a_worker_of_two_studies_trains_with_the_code_of_each(
    shared: bool, tmp_path: Path
) -> None:
    name = f"cluster_code_{'shared' if shared else 'own'}"
    for factor in ("1", "2"):
        text = (FUNCTION + ESTIMATOR).replace("FACTOR", factor)
        if shared:
            (tmp_path / f"{name}.py").write_text(text)
        _Code({f"{name}.py": text.encode()})()
        look_first_in(str(tmp_path))  # as each slice does; on another machine it is not there
        (row,) = load_function(f"{name}:train")({}, None, 0)
        assert row == {"score": int(factor)}
        kind = trainer_kind(f"{name}.Own")
        assert kind is not None
        assert f"extra_{factor}" in kind.hyperparameters()


@pytest.mark.usefixtures("as_worker")
def test_packages_travel_too() -> None:
    files = {"travelling/__init__.py": b"", "travelling/deep/own.py": FUNCTION.encode()}
    _Code(files)()
    assert callable(load_function("travelling.deep.own:train"))
