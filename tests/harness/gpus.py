"""What a call in a worker sees of the devices that it is given."""

from __future__ import annotations

import os
import subprocess
import sys
import time

LOOK = "import os; print(os.environ['CUDA_VISIBLE_DEVICES'], os.environ['HPSEARCH_GPU'])"


def devices(seconds: float = 0.0) -> str:
    """The devices of this process, and of one that it starts; it takes its time."""
    seen = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True)
    own = os.environ["CUDA_VISIBLE_DEVICES"]
    assert seen.stdout.split() == [own, own] == [own, os.environ["HPSEARCH_GPU"]]
    time.sleep(seconds)
    return own
