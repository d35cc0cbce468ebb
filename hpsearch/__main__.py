"""python -m hpsearch"""

import atexit
import io
import os
import signal
import sys

from hpsearch.import_order import add_study_folder
from hpsearch.processes import collect_rarely

add_study_folder(sys.path[0])  # the current folder: that of a study, as often as not

TRAINING = ("study", "plan", "batch", "schedule", "verify", "reproduce")  # commands
COMPLETION = {"--install-completion", "--show-completion"}  # a shell completes `hpsearch` alone
INTERRUPTED = 130  # 128 + SIGINT, as a shell counts


def main() -> None:
    """The command line."""
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _leave)
    collect_rarely()
    if sys.platform == "win32":
        sys.exit("hpsearch runs on Linux and macOS; on Windows use it inside WSL")
    from hpsearch.addresses import Scrubber
    from hpsearch.process_start import problem_of_folder, provide_home, tolerate_warnings
    from hpsearch.ulimits import too_low

    provide_home()
    tolerate_warnings()
    wrong = problem_of_folder() or too_low(to_train=sys.argv[1:2] in [[name] for name in TRAINING])
    if wrong and "--help" not in sys.argv:
        sys.exit(f"error: {wrong}")
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")  # an encoding may lack signs of our tables
    Scrubber(os.environ, sys.argv[1:]).install()
    endings: list[object] = []
    atexit.register(_end_as_said, endings)  # the first to be registered is the last to run
    from hpsearch.cli import app

    is_script = sys.argv[0].endswith("hpsearch") or bool(COMPLETION & {*sys.argv[1:2]})
    try:
        app(prog_name="hpsearch" if is_script else "python -m hpsearch")
    except SystemExit as ending:
        endings.append(ending.code)
        raise


def _leave(number: int, frame: object) -> None:
    """End at once, while modules load or after the work: raised there, it ends in tracebacks."""
    os.write(2, b"interrupted\n")
    os._exit(INTERRUPTED)


def _end_as_said(endings: list[object]) -> None:
    """Nothing but Python's own end is left; it would be killed by an interrupt, and ends itself by
    SIGINT where one came through the exec() of a text, e.g. while a named tuple was made. Taking a
    thousand modules apart would also cost a tenth of a command's time. A command that opened a
    database has Python's own end, in which SQLite merges what it wrote into one file."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    try:
        (code,) = endings
        sys.stdout.flush()
        sys.stderr.flush()
    except (ValueError, OSError, AttributeError):
        return  # of an exception, or nobody reads: Python says it
    if code != INTERRUPTED and "sqlalchemy" in sys.modules:
        return
    os._exit(code if isinstance(code, int) else code is not None)  # as SystemExit has it


if __name__ == "__main__":
    main()
