"""Addresses without their passwords."""

import pytest

from hpsearch.addresses import has_password, scrubbed, without_password


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql+psycopg://me:s3cret@host:5432/db", "postgresql+psycopg://me:***@host:5432/db"),
        ("postgresql+psycopg://me:s3c@ret@host/db", "postgresql+psycopg://me:***@host/db"),
        ("postgresql+psycopg://host/db?user=me&password=s3cret&sslmode=require",
         "postgresql+psycopg://host/db?user=me&password=***&sslmode=require"),
        ("https://:s3cret@host/mlflow", "https://:***@host/mlflow"),
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
