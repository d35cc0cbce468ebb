"""Programs of a user's own, and studies of them."""

from __future__ import annotations

import time
from pathlib import Path

import psutil

# Its loss falls from epoch to epoch. Each epoch that is trained adds a line to the file `trained`.
AWK = r"""
BEGIN {
  if (checkpoint != "") { getline done < checkpoint; close(checkpoint) }
  for (e = done + 1; e <= epochs; e++) {
    print lr, fold, purpose, e, folder >> "trained"; close("trained")
    if (nap) system("sleep " nap)
    printf "{\"epoch\": %d, \"loss\": %.6f}\n", e, (log(lr) + 3) ^ 2 + 1 / e + fold / 10
    fflush()
    if (checkpoint != "") {
      print e > (checkpoint ".new"); close(checkpoint ".new")
      system("mv " checkpoint ".new " checkpoint)
    }
  }
}
"""
# It has train or test, lr, epochs and folder as $1 … $4.
TESTED = """
mode=$1; lr=$2; epochs=$3; folder=$4
if [ $mode = test ]; then echo "{\\"loss\\": $(cat $folder/loss)}"; exit; fi
[ $mode = train ] || exit 3
echo $lr > $folder/loss
echo "{\\"epoch\\": $epochs, \\"loss\\": $lr}"
"""
VALUES = ("lr", "epochs", "fold", "purpose", "folder")
CHECKPOINT = 'checkpoint = "{folder}/checkpoint"'
STUDY = """\
name = "small"
seed = 3
objective = { metric = "loss", direction = "minimize" }
[program]
PROGRAM
[space]
trainer = "program"
lr = { low = 1e-4, high = 1.0, log = true }
[[stages]]
trials = 6
epochs = 2
[[stages]]
trials = 3
epochs = 5
"""


def awk_command(*names: str, nap: float = 0) -> str:
    """The command of the awk program, as TOML.

    Args:
        names: of placeholders, beside VALUES.
        nap: seconds that an epoch takes.
    """
    given = [f"{name}={{{name}}}" for name in (*VALUES, *names)]
    given += [f"nap={nap:g}"] if nap else []
    return str(["awk", *(word for one in given for word in ("-v", one)), "-f", "train.awk"])


def study_of(folder: Path, *lines: str, checkpoint: bool = False, nap: float = 0) -> Path:
    """A study of the awk program in this folder.

    Args:
        lines: of [program], beside its command.
        checkpoint: it goes on from one.
        nap: seconds that an epoch takes.
    """
    (folder / "train.awk").write_text(AWK)
    names = ["checkpoint"] if checkpoint else []
    said = [f"command = {awk_command(*names, nap=nap)}", *([CHECKPOINT] if checkpoint else [])]
    return write_study(folder, *said, *lines)


def study_of_shell(folder: Path, script: str, *lines: str) -> Path:
    """A study of a shell script that has lr, epochs and folder as $1, $2 and $3."""
    (folder / "train.sh").write_text(script)
    command = 'command = ["sh", "train.sh", "{lr}", "{epochs}", "{folder}"]'
    return write_study(folder, command, *lines)


def study_with_test(folder: Path, script: str, *lines: str) -> Path:
    """A study of a shell script that has train or test, lr, epochs and folder as $1 … $4."""
    (folder / "train.sh").write_text(script)
    words = '["sh", "train.sh", "MODE", "{lr}", "{epochs}", "{folder}"]'
    commands = [f"{key} = {words}" for key in ("command", "test")]
    commands = [commands[0].replace("MODE", "train"), commands[1].replace("MODE", "test")]
    return write_study(folder, *commands, *lines)


def write_study(folder: Path, *lines: str) -> Path:
    """A study with these lines of [program]."""
    path = folder / "small.toml"
    path.write_text(STUDY.replace("PROGRAM", "\n".join(lines)))
    return path


def trained(folder: Path) -> list[tuple[str, ...]]:
    """Every epoch that the awk program trained: lr, fold, purpose, epoch, folder."""
    path = folder / "trained"
    return [tuple(line.split()) for line in path.read_text().splitlines()] if path.exists() else []


def running(marker: str) -> list[psutil.Process]:
    """Processes with this text in their command line, but for this one."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid != psutil.Process().pid and marker in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def gone(marker: str, seconds: float = 15) -> bool:
    """Whether all such processes end within this time."""
    deadline = time.monotonic() + seconds
    while running(marker):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.1)
    return True
