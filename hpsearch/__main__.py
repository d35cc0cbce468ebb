"""python -m hpsearch"""

import os
import sys


def main() -> None:
    """The command line."""
    if sys.platform == "win32":
        sys.exit("hpsearch runs on Linux and macOS; on Windows use it inside WSL")
    from hpsearch.addresses import Scrubber

    Scrubber(os.environ, sys.argv[1:]).install()
    from hpsearch.cli import app

    app(prog_name="hpsearch" if sys.argv[0].endswith("hpsearch") else "python -m hpsearch")


if __name__ == "__main__":
    main()
