"""What a command makes sure of before it begins: where it runs, and as whom."""

from __future__ import annotations

import os
import sys
import tempfile
import warnings
from pathlib import Path

ACTION = "error"  # of a filter of warnings, which Python lets be shortened


def problem_of_folder() -> str:
    """Why nothing can be started from the current folder; "" where it can."""
    try:
        os.getcwd()
    except FileNotFoundError:
        return "the current folder was deleted; change to one that exists, e.g. with cd"
    return ""


def provide_home() -> None:
    """Give a user without a home folder one among the temporary files, as MLflow needs one.

    A container that runs as any number has neither HOME nor a line in /etc/passwd.
    """
    try:
        Path.home()
    except RuntimeError:
        place = Path(tempfile.gettempdir(), f"hpsearch-home-{os.getuid()}")
        place.mkdir(mode=0o700, exist_ok=True)
        if place.stat().st_uid != os.getuid():  # somebody was here before
            place = Path(tempfile.mkdtemp(prefix="hpsearch-home-"))
        os.environ["HOME"] = str(place)


def tolerate_warnings() -> None:
    """Show warnings of packages even if PYTHONWARNINGS or -W makes them errors.

    What packages deprecate among each other is no error of a study. Worker processes keep the
    setting, for the functions of a user.
    """
    actions = (option.partition(":")[0].strip() for option in sys.warnoptions)
    if any(action and ACTION.startswith(action) for action in actions):
        warnings.simplefilter("default")
