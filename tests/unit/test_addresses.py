"""Addresses without their passwords."""

import io
import random
import sys
from typing import cast

import pytest
from sqlalchemy.engine import make_url

from hpsearch.addresses import Scrubber, check_port, has_password, scrubbed, without_password
from hpsearch.errors import HpsearchError


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://me:s3cret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql+psycopg://me:s3c@ret@host/db", "postgresql+psycopg://me:***@host/db"),
        ("postgresql+psycopg://host/db?user=me&password=s3cret&sslmode=require",
         "postgresql+psycopg://host/db?user=me&password=***&sslmode=require"),
        ("postgresql://me:s3/c#r?et@host/db", "postgresql://me:***@host/db"),
        ("http://me:s3/cret@host/", "http://me:***@host/"),
        ("me:s3cret@host/db", "me:***@host/db"),
        ("postgresql://me@host/db", "postgresql://me@host/db"),
        ("https://:s3cret@host/mlflow", "https://:***@host/mlflow"),
        ("https://s3cret@host/mlflow", "https://***@host/mlflow"),
        ("https://s3cret:@host/mlflow", "https://***@host/mlflow"),
        ("https://host/mlflow?access_token=s3cret&a=b", "https://host/mlflow?access_token=***&a=b"),
        ("https://host/?a=b&%74oken=s3cret", "https://host/?a=b&%74oken=***"),
        ("https://host/#api_key=s3cret", "https://host/#api_key=***"),
        ("http://host:5000/a@b", "http://host:5000/a@b"),
        ("sqlite:////tmp/me:x@y/a.db", "sqlite:////tmp/me:x@y/a.db"),
        ("nonsense", "nonsense"),
    ],
)  # fmt: skip
def test_a_password_is_hidden_and_nothing_else(address: str, shown: str) -> None:
    assert without_password(address) == shown
    assert has_password(address) == (shown != address)


def test_what_others_say_of_an_address_is_scrubbed_quoted_or_not() -> None:
    address = "postgresql://me:s3%40cret@host/db?password=other"
    said = "no s3@cret, no s3%40cret, no other"
    assert scrubbed(said, address) == "no ***, no ***, no ***"


def test_whatever_sqlalchemy_takes_for_the_password_is_hidden() -> None:
    rng = random.Random(17)
    for _ in range(2000):
        password = "S" + "".join(rng.choices("ab1/#?:=&%+[]!\\'\"", k=8)) + "T"
        address = f"postgresql+psycopg://me:{password}@host:5432/db"
        read = cast(str, make_url(address).password)
        assert read not in without_password(address), address
        assert read not in scrubbed(f"no {read!r} and {read}", address), address


@pytest.mark.parametrize("secret", ["s3cr/et#?", 'it\'s "mine"', "ä/ö"])
def test_what_a_process_was_given_is_in_nothing_it_says(secret: str) -> None:
    address = f"postgresql://me:{secret}@host/db"
    scrubber = Scrubber(
        {"PGPASSWORD": "0therw1se", "HOME": "/here", "TOKENIZERS_PARALLELISM": "false"},
        ["--storage", address],
    )
    line = f"OperationalError: {address!r} {secret} {secret!r} 0therw1se false /here"
    message = scrubber.message(line)
    assert secret not in message
    assert message.endswith(" *** false /here")
    assert scrubber.data(f"me {address}") == "me postgresql://me:***@host/db"


def test_a_result_keeps_a_word_that_is_a_password_too() -> None:
    scrubber = Scrubber({"HPSEARCH_STORAGE": "postgresql://optuna:optuna@db/optuna"}, [])
    assert scrubber.data("sampler,optuna") == "sampler,optuna"


def test_standard_output_and_error_are_scrubbed(monkeypatch: pytest.MonkeyPatch) -> None:
    out, err = io.StringIO(), io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    monkeypatch.setattr("sys.stderr", err)
    Scrubber({}, ["--storage=redis://:s3cret@host"]).install()
    print("at redis://:s3cret@host")
    print("no s3cret", file=sys.stderr)
    assert out.getvalue() == "at redis://:***@host\n"
    assert err.getvalue() == "no ***\n"


@pytest.mark.parametrize(
    "address",
    [
        "postgresql://me:s3cret@host:abc/db",
        "postgresql://me:s3cret@host:0/db",
        "postgresql://me:s3cret@host:99999/db",
        "http://me:s3cret@host:abc/",
        "http://me:s3cret@host:99999",
    ],
)
def test_a_port_that_is_none_is_refused_without_the_password(address: str) -> None:
    with pytest.raises(HpsearchError, match="--storage must have a port from 1 to 65535") as error:
        check_port("--storage", address)
    assert "s3cret" not in str(error.value)


@pytest.mark.parametrize(
    "address",
    ["postgresql://h:5432/d", "postgresql://[::1]/d", "sqlite:///a.db", "http://h", "no"],
)
def test_an_address_with_a_port_or_none_is_none_of_that(address: str) -> None:
    check_port("--storage", address)


def test_the_folder_that_a_shell_is_in_is_no_password() -> None:
    scrubber = Scrubber(
        {"PWD": "/home/ada/project", "OLDPWD": "/home/ada", "MY_PWD": "s3cret"}, []
    )
    said = scrubber.message("/home/ada/project/study.toml s3cret")
    assert said == "/home/ada/project/study.toml ***"
