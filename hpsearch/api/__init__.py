"""What every command does, as a Python call: one module per command, exported by `hpsearch`."""
