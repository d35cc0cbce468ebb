"""The MLflow UI on the stores of a home."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable

from hpsearch.errors import TrackingError
from hpsearch.tracking.home import Home

ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",  # 2 processes instead of 10 of 250 MB
}


def serve_ui(home: Home, *, host: str, port: int, say: Callable[[str], None]) -> int:
    """Run the MLflow server until it is interrupted; returns its exit code.

    Raises:
        TrackingError: there is no store yet, or the port is taken.
    """
    if not home.mlflow.exists():
        raise TrackingError(
            f"{home.path} must hold an mlflow.db, which a first study makes: "
            "python -m hpsearch study studies/quickstart.toml"
        )
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise TrackingError(
                f"{host}:{port} must be free to listen on, got: {error.strerror}; "
                "choose another with --port"
            ) from error
    say(f"MLflow on http://{host}:{port} (Ctrl-C ends it)")
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1"]
    command += ["--backend-store-uri", home.tracking_uri]
    command += ["--default-artifact-root", home.artifacts.as_uri()]
    command += ["--host", host, "--port", str(port)]
    process = subprocess.Popen(command, env={**os.environ, **ENVIRONMENT}, cwd=home.path)
    try:
        return process.wait()
    finally:
        if process.poll() is None:
            process.terminate()
            process.wait(timeout=10)
