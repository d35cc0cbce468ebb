"""The gallery of docs/gallery.md: runs the studies of studies/ and keeps one small figure of each.

    python benchmarks/gallery.py --home /tmp/gallery    all of them, an hour on two cores
    python benchmarks/gallery.py --home /tmp/gallery overfitting    some, by file

A study that is already finished in the home is not run again; its figure is used as it is.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

from hpsearch import run_study

REPOSITORY = Path(__file__).parents[1]
WIDTH = 900  # pixels; the figures are for a glance, the artifacts have the large ones
FIGURES = {  # by study file, the artifact that shows most
    "quickstart": "search.png",
    "fewshot_mnist": "search.png",
    "estimators": "search.png",
    "diabetes": "figures/test_residuals.png",
    "own_trainer": "search.png",
    "alternating_gradient_table1": "arms.png",
    "proposal_search_table1": "arms.png",
    "proposal_search_readings": "search.png",
    "trainers_fewshot": "claim_3.png",
    "lenet_batch_lr": "claim_3.png",
    "lenet_search": "claim_2.png",
    "optimizers": "claim_2.png",
    "initial_weights": "claim_1.png",
    "batch_norm": "claim_1.png",
    "overfitting": "claim_1.png",
    "coarse_to_fine": "claim_1.png",
}


def keep(name: str, home: Path) -> Path:
    """Run a study if it is not finished, and save its figure small."""
    report = run_study(REPOSITORY / "studies" / f"{name}.toml", home=home, warn=print)
    image = Image.open(Path(report.result.folder) / FIGURES[name]).convert("RGB")
    height = round(image.height * min(1, WIDTH / image.width))
    path = REPOSITORY / "studies" / "figures" / f"{name}.png"
    small = image.resize((min(WIDTH, image.width), height), Image.Resampling.LANCZOS)
    small.quantize(256, method=Image.Quantize.MAXCOVERAGE).save(path, optimize=True)
    return path


def main() -> None:
    """Every study that was named, or all."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--home", type=Path, required=True, help="folder of stores")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help=f"of {', '.join(FIGURES)}")
    given = parser.parse_args()
    for name in given.studies or FIGURES:
        print(keep(name, given.home.absolute()))


if __name__ == "__main__":
    main()
