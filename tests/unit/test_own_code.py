"""Modules of a user's own: which files they are made of, and which are run again."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpsearch.own_code import (
    NamedModule,
    changed_since,
    differing,
    digest,
    file_digests,
    forget_changed,
    is_installed,
    is_own,
    load_module,
    look_first_in,
    named_modules,
)

Write = Callable[[str, str], Path]


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """The first place on Python's path; what is loaded from it is dropped at the end."""
    before, loaded = list(sys.path), set(sys.modules)
    look_first_in(str(tmp_path))
    yield tmp_path
    sys.path[:] = before
    for name in set(sys.modules) - loaded:
        path = getattr(sys.modules[name], "__file__", None)
        if path and Path(path).is_relative_to(tmp_path.parent):
            del sys.modules[name]


@pytest.fixture
def write(folder: Path) -> Write:
    def file(name: str, text: str) -> Path:
        path = folder / name
        path.parent.mkdir(exist_ok=True, parents=True)
        path.write_text(text)
        return path

    return file


def test_a_module_is_its_file_and_what_it_imports_from_the_folder(write: Write) -> None:
    write(
        "own.py", "import json, numpy, helper_a\ndef f():\n    from parts import inner, b as c\n"
    )
    write("helper_a.py", "import os.path\nimport helper_b\nimport own\n")
    write("helper_b.py", "import not_there\n")
    write("unused.py", "")
    write("parts/__init__.py", "from . import deep\n")
    write("parts/inner.py", "from .deep import more\nfrom ... import beyond\n")
    write("parts/b.py", "import parts.c\n")
    write("parts/c.py", "this is no Python\n")
    write("parts/deep/__init__.py", "")
    write("parts/deep/more.py", "from .. import b\n")
    assert [*file_digests(["own"])] == [
        "helper_a.py",
        "helper_b.py",
        "own.py",
        "parts/__init__.py",
        "parts/b.py",
        "parts/c.py",
        "parts/deep/__init__.py",
        "parts/deep/more.py",
        "parts/inner.py",
    ]


def test_a_module_is_compared_with_what_it_was_once_it_is_loaded(write: Write) -> None:
    path = write("began.py", "import began_helper\n")
    helper = write("began_helper.py", "A = 1\n")
    (began,) = named_modules(["began", "sklearn.svm"], file_digests(["began"]))
    helper.write_text("A = 2\n")
    assert changed_since(began) == ["began_helper.py"]
    helper.write_text("A = 1\n")
    load_module("began")
    assert changed_since(began) == []
    path.write_text("import began_helper as other\n")
    assert changed_since(began) == []  # the old one is what is loaded here
    assert forget_changed()
    assert changed_since(began) == ["began.py"]


def test_studies_that_take_turns_have_their_own_helpers_each(write: Write) -> None:
    """What they name differs, what that imports has one name: as on a worker of two studies."""
    for name in ("a", "b"):
        write(f"turns_{name}/turns_helper.py", f"NAME = {name!r}\n")
        text = "def said():\n    import turns_helper\n    return turns_helper.NAME\n"
        path = write(f"turns_{name}/turns_main_{name}.py", text)
    heard = []
    for name in "ababab":
        look_first_in(str(path.parents[1] / f"turns_{name}"))
        heard.append(load_module(f"turns_main_{name}").said())
    assert heard == [*"ababab"]


def test_a_folder_without_init_may_lie_in_a_package(write: Write) -> None:
    write("outer/__init__.py", "")
    write("outer/plain/own.py", "A = 1\n")
    assert [*file_digests(["outer.plain.own"])] == ["outer/__init__.py", "outer/plain/own.py"]


def test_nothing_is_known_of_a_module_that_is_installed_elsewhere(folder: Path) -> None:
    assert changed_since(NamedModule("not_here_at_all", (("not_here_at_all.py", "0"),))) == []


def test_whatever_no_installed_package_has_is_code_of_ones_own(write: Write) -> None:
    write("site-packages/boosted/__init__.py", "class Classifier: ...\n")
    write("own_classes.py", "class Classifier: ...\n")
    look_first_in(str(write("site-packages/other.py", "").parent))
    names = ["adam", "sklearn.svm.SVC", "boosted.Classifier", "boosted:train", "own:train"]
    assert [is_own(name) for name in names] == [False, False, False, True, True]
    assert is_own("own_classes.Classifier")


@pytest.mark.parametrize("name", ["sklearn.linear_model", "json", "sys", "hpsearch.nn", "none_x"])
def test_what_is_installed_or_not_there_is_no_code_of_ones_own(name: str, folder: Path) -> None:
    assert file_digests([name]) == {}
    assert is_installed(name) == name.startswith("sklearn")
    assert digest({}) == ""


def test_the_digest_is_that_of_contents_wherever_they_lie(write: Write, tmp_path: Path) -> None:
    write("own.py", "import near\n")
    write("near.py", "x = 1\n")
    here = file_digests(["own"])
    other = tmp_path / "other"
    for name in ("own.py", "near.py"):
        (other / name).parent.mkdir(exist_ok=True)
        (other / name).write_bytes((tmp_path / name).read_bytes())
    look_first_in(str(other))
    assert file_digests(["own"]) == here
    (other / "near.py").write_text("x = 2\n")
    there = file_digests(["own"])
    assert differing(here, there) == ["near.py"]
    assert digest(here) != digest(there)


def test_a_module_that_changed_is_run_again_with_all_that_it_imports(write: Write) -> None:
    write("own_again.py", "from own_near import x\n")
    write("own_near.py", "x = 1\n")
    forget_changed()  # what tests before this one loaded
    first = load_module("own_again")
    assert not forget_changed()
    assert load_module("own_again") is first
    write("own_near.py", "x = 'two'\n")
    assert forget_changed()
    assert load_module("own_again").x == "two"


def test_what_a_module_imports_is_that_of_its_own_folder(write: Write, tmp_path: Path) -> None:
    for place in ("a", "b"):
        write(f"{place}/own_twice.py", "from own_beside import x\n")
        write(f"{place}/own_beside.py", f"x = {place!r}\n")
    for place in ("a", "b"):
        look_first_in(str(tmp_path / place))
        assert load_module("own_twice").x == place
