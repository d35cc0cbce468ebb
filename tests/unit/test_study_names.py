"""What a study may be called."""

from __future__ import annotations

import unicodedata

import pytest

from hpsearch.study_names import BYTES, LENGTH, as_written, is_name, part_of_name


@pytest.mark.parametrize(
    "name",
    [
        *("quickstart", "a", "2", "a.b-c_d", "lr 0.1 (second)", "adam+sgd, small"),
        *("고양이 찾기", "größte Güte", "тест", "हिन्दी", "x" * LENGTH, "고" * (BYTES // 3)),
    ],
)
def test_it_may_be_of_any_script(name: str) -> None:
    assert is_name(name)


@pytest.mark.parametrize(
    "name",
    [
        *("", " a", "a ", "-a", ".a", "..", "_a", "a/b", "a\\b", "a:b", "a\nb", "a\tb", "a'b"),
        *('a"b', "a*b", "a?b", "a$b", "a`b", "\u200ba", "a\u202eb", "\ud800"),
        *("\u3164",),
        *("x" * (LENGTH + 1), "고" * (BYTES // 3 + 1)),
    ],
)
def test_it_is_a_folder_and_one_line(name: str) -> None:
    assert not is_name(name)


def test_letters_are_composed() -> None:
    for name in ("고양이", "Güte"):
        assert as_written(unicodedata.normalize("NFD", name)) == name


def test_a_value_becomes_part_of_a_name() -> None:
    assert [part_of_name(text) for text in ("고양이", "강아지", "a/b + c", "0.5")] == [
        *("고양이", "강아지", "a_b_c", "0.5")
    ]
