"""python -m hpsearch"""

import sys


def main() -> None:
    """The command line; worker processes import this module too, so nothing runs on import."""
    if sys.platform == "win32":
        sys.exit("hpsearch runs on Linux and macOS; on Windows use it inside WSL")
    from hpsearch.execution.executors import limit_blas_threads

    limit_blas_threads()  # before anything loads NumPy
    from hpsearch.cli import app

    app(prog_name="hpsearch" if sys.argv[0].endswith("hpsearch") else "python -m hpsearch")


if __name__ == "__main__":
    main()
