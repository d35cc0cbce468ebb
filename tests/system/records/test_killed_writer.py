"""A process killed while it writes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from hpsearch.records.whole_files import write_whole


def test_a_kill_while_writing_leaves_the_old_content(tmp_path: Path) -> None:
    """Twenty processes are killed while they rewrite a file; it is whole every time."""
    path = tmp_path / "file"
    write_whole(path, b"0" * 200_000)
    code = (
        "import sys, pathlib; from hpsearch.records.whole_files import write_whole\n"
        "print('go', flush=True)\n"
        "while True:\n"
        "    for c in b'12': write_whole(pathlib.Path(sys.argv[1]), bytes([c]) * 200_000)\n"
    )
    for _ in range(5):
        process = subprocess.Popen([sys.executable, "-c", code, str(path)], stdout=subprocess.PIPE)
        assert process.stdout is not None
        process.stdout.readline()
        process.kill()
        process.communicate()
        content = path.read_bytes()
        assert len(content) == 200_000
        assert len(set(content)) == 1
