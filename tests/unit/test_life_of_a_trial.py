"""The page on a trial's life names code that is there."""

from __future__ import annotations

import re
from importlib import import_module
from operator import attrgetter
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/dev/life-of-a-trial.md"
NAMED = re.compile(r"`([a-z_/]+)\.py:([A-Za-z_.]+)`")


def test_every_function_that_is_named_is_there() -> None:
    named = NAMED.findall(PAGE.read_text())
    assert len(named) > 20
    for module, name in named:
        attrgetter(name)(import_module("hpsearch." + module.replace("/", ".")))
