"""Nights of two small studies with [retention]: the disk use is bounded, the best runs are kept.

    python soak/nights.py                    10 nights; exit 0 if all is well
    python soak/nights.py --nights 100       an hour on one busy core

Each night is a batch with new runs of both studies, with another seed, so that scores differ. The
script prints a row per night: the size of the home, and what retention deleted. At the end the
best scores of all nights must still be there, and doctor must find nothing. The home must not grow
beyond the size of the runs that are kept.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

BEST, LAST = 3, 2  # runs that stay
SLACK = 1.1  # of the largest home, over the first night's size for the number of kept runs
STUDY = """\
name = "{name}"
seed = 0
objective = {{ metric = "validation_accuracy", direction = "maximize" }}
[data]
name = "digits"
shots = 5
[network]
name = "two-layer"
hidden = 12
[space]
trainer = "{trainer}"
learning_rate = {{ low = 1e-3, high = 1.0, log = true }}
[[stages]]
trials = 4
epochs = 2
[[stages]]
trials = 3
epochs = 4
[confirmation]
top = 1
seeds = 2
test_seeds = 1
default = false
"""
BATCH = """\
name = "nights"
[schedule]
fresh = true
[retention]
older = "0d"
keep_best = {best}
keep_last = {last}
"""
ENTRY = '[[studies]]\nfile = "{name}.toml"\nset = ["seed={seed}"]\n'
STUDIES = {"adam": "adam", "momentum": "momentum"}  # name and trainer


@dataclass
class Nights:
    """The home, and what each night left in it.

    Attributes:
        scores: the scores of all runs so far, also deleted ones, by study and number.
        sizes: the size of the home after each night, in bytes.
    """

    place: Path
    scores: dict[str, dict[int, float]] = field(default_factory=dict)
    sizes: list[int] = field(default_factory=list)

    @property
    def home(self) -> Path:
        """The home of all nights."""
        return self.place / "home"

    def write_studies(self) -> None:
        """The two study files."""
        for name, trainer in STUDIES.items():
            text = STUDY.format(name=name, trainer=trainer)
            (self.place / f"{name}.toml").write_text(text)
            self.scores[name] = {}

    def pass_one(self, night: int) -> None:
        """Run the batch, and print a row."""
        from hpsearch import run_batch

        text = BATCH.format(best=BEST, last=LAST)
        text += "".join(ENTRY.format(name=name, seed=night) for name in STUDIES)
        (self.place / "nights.toml").write_text(text)
        started = time.monotonic()
        report = run_batch(self.place / "nights.toml", home=self.home, workers=0)
        assert report.exit_code == 0, report
        for row in report.studies:
            assert row.validation is not None
            self.scores[row.study][night] = row.validation
        self.sizes.append(self.size())
        print(
            f"night {night:3}  {self.sizes[-1] / 1e6:6.1f} MB  {report.retention:48}  "
            f"{time.monotonic() - started:5.1f} s",
            flush=True,
        )

    def size(self) -> int:
        """The size of the home, in bytes."""
        from hpsearch.records.layout import Home

        return Home.size_of(self.home)

    def kept(self, study: str) -> list[int]:
        """The numbers of the runs that still exist."""
        from hpsearch.records.layout import Home

        return Home(self.home).study(study).numbers()

    def verdict(self) -> bool:
        """Print what the nights left; returns whether it is right."""
        from hpsearch import doctor

        good = True
        for study, scores in self.scores.items():
            best = sorted(scores, key=lambda n: (-scores[n], -n))[:BEST]
            wanted = sorted({*best, *sorted(scores)[-LAST:]})
            kept = self.kept(study)
            good &= kept == wanted
            told = ", ".join(f"{n}: {scores[n]:.4f}" for n in best)
            print(f"{study}: best of {len(scores)} nights {told}; kept {kept}, wanted {wanted}")
        found = doctor(home=self.home).query("place != 'host'")
        print(f"doctor: {len(found)} findings")
        most, bound = max(self.sizes), SLACK * (BEST + LAST) * self.sizes[0]
        print(f"home: {most / 1e6:.1f} MB at most, of {bound / 1e6:.1f} MB allowed")
        return good and found.empty and most <= bound


def main() -> None:
    """Pass the nights and print the verdict."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--folder", type=Path, help="where all is kept; left out: thrown away")
    asked = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    with tempfile.TemporaryDirectory(prefix="hpsearch-nights-") as temporary:
        place = asked.folder or Path(temporary)
        place.mkdir(exist_ok=True)
        nights = Nights(place.resolve())
        nights.write_studies()
        for night in range(1, asked.nights + 1):
            nights.pass_one(night)
        sys.exit(0 if nights.verdict() else 1)


if __name__ == "__main__":
    main()
