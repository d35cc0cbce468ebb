"""Where the files of named data sets are searched for."""

from __future__ import annotations

import os
from pathlib import Path


def folders(name: str) -> list[Path]:
    """The places of a data set, first come first served: $HPSEARCH_DATA/name, the user's cache."""
    named = os.environ.get("HPSEARCH_DATA")
    return ([Path(named) / name] if named else []) + [cache(name)]


def cache(name: str) -> Path:
    """Where a data set is downloaded to."""
    import platformdirs

    return Path(platformdirs.user_cache_dir("hpsearch")) / name
