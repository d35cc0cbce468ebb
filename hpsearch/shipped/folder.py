"""Where the documents and examples are: in a wheel inside the package, in a checkout beside."""

from __future__ import annotations

from pathlib import Path

from hpsearch.errors import HpsearchError

IN_WHEEL = Path(__file__).parent / "files"  # put there by setup.py


def shipped() -> Path:
    """The folder with docs/ and studies/, laid out as the repository is.

    Raises:
        HpsearchError: this installation has none.
    """
    places = [IN_WHEEL, Path(__file__).parents[2]]
    for place in places:
        if (place / "docs/README.md").is_file() and (place / "studies").is_dir():
            return place
    raise HpsearchError(
        f"the documents and examples must be in {places[0]} or {places[1]}, got neither; "
        "install hpsearch again"
    )
