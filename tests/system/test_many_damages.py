"""Files of a home damaged at random: never a traceback, never another table."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from pathlib import Path

from hpsearch import doctor, study_status
from tests.harness.damage import KINDS, damage, damageable, outcome, stop_in_the_middle

# 500 by hand, some minutes: HPSEARCH_DAMAGES=500 scripts/test tests/system/test_many_damages.py
DAMAGED = int(os.environ.get("HPSEARCH_DAMAGES", "12"))


def test_damages_are_made_up_for_or_told_in_a_line(tmp_path: Path) -> None:
    stop_in_the_middle(tmp_path)
    names, rng, found = damageable(tmp_path / "home"), random.Random(0), Counter[str]()
    for number in range(DAMAGED):
        home, name, kind = tmp_path / str(number), rng.choice(names), rng.choice(KINDS)
        shutil.copytree(tmp_path / "home", home)
        damage(home / name, kind, number)
        assert len(study_status(home=home)) <= 1
        said = outcome(tmp_path, home)
        found["told" if said else "the undisturbed table"] += 1
        shutil.rmtree(home)
    print(dict(found))
    assert found["the undisturbed table"] > 0


def test_what_doctor_repairs_comes_to_the_undisturbed_table(tmp_path: Path) -> None:
    stop_in_the_middle(tmp_path)
    for number in range(5):
        home = tmp_path / str(number)
        shutil.copytree(tmp_path / "home", home)
        damage(home / f"studies/small/1/trials/{number:05d}/record.json", "flip", number)
        assert "doctor --repair" in outcome(tmp_path, home)
        found = doctor(home=home, repair=True)
        assert found["repaired"].any()
        assert outcome(tmp_path, home) == ""
