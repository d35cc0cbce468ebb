"""Addresses of Dask schedulers, before anything connects."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpsearch.errors import HpsearchError
from hpsearch.execution.cluster import scheduler_address
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
