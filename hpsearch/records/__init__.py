"""The truth on disk: every path, every record, what may become of a trial, the lock of a run."""
