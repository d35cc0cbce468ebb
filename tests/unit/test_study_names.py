"""What a study may be called, and what its folder is called then."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpsearch.study_names import (
    BYTES,
    LENGTH,
    as_written,
    file_name,
    from_file_name,
    is_name,
    part_of_name,
)

BYTES_OF_A_SIGN = len("~2f")


@pytest.mark.parametrize(
    "name",
    [
        *("quickstart", "a", "2", "a.b-c_d", "lr 0.1 (second)", "adam+sgd, small"),
        *("고양이 찾기", "größte Güte", "тест", "हिन्दी", "x" * LENGTH, "고" * (BYTES // 3)),
    ],
)
def test_a_plain_name_is_its_folder_s(name: str) -> None:
    assert is_name(name)
    assert file_name(name) == name == from_file_name(name)


@pytest.mark.parametrize(
    ("name", "folder"),
    [
        *(("sgd/adam", "sgd~2fadam"), ("a\\b", "a~5cb"), ("lr: 1e-3?", "lr~3a 1e-3~3f")),
        *(('it\'s "new"', "it~27s ~22new~22"), ("50 %", "50 ~25"), ("a~2fb", "a~7e2fb")),
        *((".hidden", "~2ehidden"), ("..", "~2e."), ("_a", "~5fa"), ("[red]", "~5bred~5d")),
        *(("a/b/2.5", "a~2fb~2f2.5"), ("β → 0 ✓", "β → 0 ✓"), ("<b>&", "~3cb~3e~26")),
    ],
)
def test_a_sign_with_a_meaning_is_written_as_its_code(name: str, folder: str) -> None:
    assert is_name(name)
    assert file_name(name) == folder
    assert from_file_name(folder) == name


@pytest.mark.parametrize(
    "name",
    [
        *("", " a", "a ", "-a", "a\nb", "a\tb", "a\x00b", "quickstart/2", "\u200ba", "a\u202eb"),
        *("\ud800", "\u3164", "a\u00a0b"),
        *("x" * (LENGTH + 1), "고" * (BYTES // 3 + 1), "/" * (BYTES // BYTES_OF_A_SIGN + 1)),
    ],
)
def test_it_is_one_visible_line_that_is_no_run_s(name: str) -> None:
    assert not is_name(name)


@given(st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1))
def test_two_names_have_two_folders(name: str) -> None:
    folder = file_name(name)
    assert from_file_name(folder) == name
    assert not set(folder) & set("/\\:*?\"'<>|%#&$`;")
    assert re.match(r"[._ -]", folder) is None


def test_a_folder_that_nobody_named_so_is_called_what_it_is() -> None:
    assert from_file_name("copy~of") == "copy~of"
    assert from_file_name("a~62") == "a~62"


def test_letters_are_composed() -> None:
    for name in ("고양이", "Güte"):
        assert as_written(unicodedata.normalize("NFD", name)) == name


def test_a_value_becomes_part_of_a_name() -> None:
    assert [part_of_name(text) for text in ("고양이", "강아지", "a/b + c", "0.5")] == [
        *("고양이", "강아지", "a_b_c", "0.5")
    ]
