"""Metric lines among what a program prints: which they are, and which can't be."""

from __future__ import annotations

import math

import pytest

from hpsearch.trainers.programs.metric_lines import LONGEST_LINE, MetricError, MetricReader

Rows = list[tuple[int, dict[str, float]]]
PATTERN = r"epoch (?P<epoch>\d+) .*acc (?P<acc>\S+)"


def reader(form: str = "json-lines", source: str = "", **options: object) -> MetricReader:
    return MetricReader(form, source, ("acc",), **options)  # type: ignore[arg-type]


def rows(content: bytes, form: str = "json-lines", source: str = "", **options: object) -> Rows:
    made = reader(form, source, **options)
    return [*made.feed(content), *made.end()]


def error(content: bytes, form: str = "json-lines", source: str = "", **options: object) -> str:
    with pytest.raises(MetricError) as caught:
        rows(content, form, source, **options)
    return str(caught.value)


def test_objects_with_a_wanted_metric_are_metric_lines() -> None:
    content = b"""\
begin
{"epoch": 1, "acc": 0.5, "note": "good"}
{"epoch": 1, "loss": 3}
{"not json
[1, 2]
7
  {"epoch": 2, "acc": "0.75"}\r
{"epoch": 4.0, "acc": 1}"""
    assert rows(content) == [(1, {"acc": 0.5}), (2, {"acc": 0.75}), (4, {"acc": 1.0})]


def test_lines_that_name_no_epoch_are_counted() -> None:
    assert [e for e, _ in rows(b'{"acc": 1}\n{"epoch": 5, "acc": 1}\n{"acc": 1}\n')] == [1, 5, 6]


@pytest.mark.parametrize("first", [0, 1])
def test_a_program_that_must_name_its_epochs(first: int) -> None:
    got = error(b'{"acc": 1}\n', names_epochs=True, first_epoch=first)
    assert got == (
        "must print epoch with its metrics, because it resumes from a checkpoint, got a line "
        f'without it: print {{"epoch": {first}, …}}'
    )


def test_epochs_are_counted_from_0_where_the_program_does() -> None:
    assert [e for e, _ in rows(b'{"epoch": 0, "acc": 1}', first_epoch=0)] == [1]
    assert "must count epochs from 1, got 0" in error(b'{"epoch": 0, "acc": 1}')
    assert "first_epoch = 0" in error(b'{"epoch": 0, "acc": 1}')
    assert "must count epochs from 0, got -1" in error(b'{"epoch": -1, "acc": 1}', first_epoch=0)


@pytest.mark.parametrize("epoch", ["1.5", '"one"', "null", "true", "NaN", "Infinity", "[1]"])
def test_an_epoch_is_a_whole_number(epoch: str) -> None:
    got = error(b'{"epoch": %s, "acc": 1}' % epoch.encode())
    assert got.startswith("must print a whole number for epoch, got ")


@pytest.mark.parametrize("value", ['"high"', "null", "true", "[1]", "{}", '""'])
def test_a_metric_is_a_number(value: str) -> None:
    got = error(b'{"epoch": 1, "acc": %s}' % value.encode())
    assert got.startswith("must print a number for the metric 'acc', got ")


def test_what_is_no_finite_number_is_left_to_the_study() -> None:
    content = b'{"acc": NaN}\n{"acc": -Infinity}\n{"acc": 1%s}\n' % (b"0" * 400)
    assert "must print a number" in error(content)
    ((_, first), (_, second)) = rows(content.rpartition(b'{"acc": 1')[0])
    assert math.isnan(first["acc"])
    assert second == {"acc": -math.inf}


@pytest.mark.parametrize(
    ("second", "got"), [('"acc": 1', "acc"), ('"acc": 1, "loss": 2, "new": 3', "acc, loss, new")]
)
def test_metrics_keep_their_names(second: str, got: str) -> None:
    content = b'{"epoch": 1, "acc": 1, "loss": 2}\n{"epoch": 2, %s}\n' % second.encode()
    assert error(content) == (
        f"must print the same metrics every epoch, got {got} after acc, loss"
    )


def test_the_order_of_metrics_may_change() -> None:
    content = b'{"acc": 1, "loss": 2}\n{"loss": 3, "acc": 4}\n'
    assert [list(metrics.items()) for _, metrics in rows(content)] == [
        [("acc", 1.0), ("loss", 2.0)],
        [("acc", 4.0), ("loss", 3.0)],
    ]


def test_a_metric_has_a_name_that_stores_take() -> None:
    assert "must name its metrics by" in error(b'{"acc": 1, "a//b": 2}')


def test_lines_may_come_in_any_pieces() -> None:
    content = 'ä\n{"epoch": 1, "acc": 0.5}\nb\n{"epoch": 2, "acc": 0.25}\n'.encode()
    made = reader()
    found = [row for byte in content for row in made.feed(bytes([byte]))]
    assert found == [(1, {"acc": 0.5}), (2, {"acc": 0.25})]


@pytest.mark.parametrize("piece", [1000, 1 << 20, 10 * LONGEST_LINE])
def test_a_very_long_line_is_no_metric_line_however_it_comes(piece: int) -> None:
    long = b'{"acc": 1, "x": "%s"}' % (b"x" * LONGEST_LINE)
    content = long + b'\n{"acc": 2}\n' + long
    made = reader()
    parts = [content[place : place + piece] for place in range(0, len(content), piece)]
    found = [row for part in parts for row in made.feed(part)]
    assert [*found, *made.end()] == [(1, {"acc": 2.0})]


def test_any_bytes_may_come_between() -> None:
    noise = bytes(range(256)) * 3
    assert rows(noise + b'\n{"acc": 1}\n{"acc": \xff}\n' + noise) == [(1, {"acc": 1.0})]
    assert rows(b"[" * 100_000 + b'\n{"acc":' + b"[" * 100_000 + b'\n{"acc": 1}') == [
        (1, {"acc": 1.0})
    ]


def test_of_a_line_that_overwrites_itself_the_last_text_counts() -> None:
    assert rows(b'1/2\r2/2\r{"acc": 1}\r\n') == [(1, {"acc": 1.0})]
    bar = b"epoch 1 [= ] acc 0.1\repoch 1 [==] acc 0.9\n"
    assert rows(bar, "pattern", PATTERN) == [(1, {"acc": 0.9})]


def test_a_pattern_finds_its_groups() -> None:
    content = b"[info] epoch 3 loss 1 acc 0.5\nepoch x acc 0.5\nepoch 04 - acc 1e-3 end\n"
    assert rows(content, "pattern", PATTERN) == [(3, {"acc": 0.5}), (4, {"acc": 0.001})]
    assert "number for the metric 'acc', got 'high'" in error(
        b"epoch 1 - acc high", "pattern", PATTERN
    )


def test_a_group_that_is_left_out_changes_the_names() -> None:
    pattern = r"acc (?P<acc>\S+)( loss (?P<loss>\S+))?"
    assert rows(b"acc 1 loss 2", "pattern", pattern) == [(1, {"acc": 1.0, "loss": 2.0})]
    assert "same metrics" in error(b"acc 1 loss 2\nacc 1", "pattern", pattern)


def test_a_table_has_its_names_in_its_first_row() -> None:
    content = b"""\
epoch, acc ,"the loss"
1,0.5,3

2,0.75,
3,,2
epoch,acc,the loss
4,1
"""
    found = rows(content, "csv")
    assert [epoch for epoch, _ in found] == [1, 2, 4]
    assert found[0][1] == {"acc": 0.5, "the loss": 3.0}
    assert math.isnan(found[1][1]["the loss"])
    assert "number for the metric 'acc', got 'n/a'" in error(b"epoch,acc\n1,n/a\n", "csv")


def test_metric_lines_are_kept_as_they_were_printed() -> None:
    made = reader()
    list(made.feed(b'a\n {"epoch": 1, "acc": 1}\nb\n{"loss": 1}\n{"epoch": 2, "acc": 1}\n{"ep'))
    assert made.raw_lines() == b' {"epoch": 1, "acc": 1}\n{"epoch": 2, "acc": 1}\n{"ep'
