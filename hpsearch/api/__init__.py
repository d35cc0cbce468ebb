"""What every command does, as a Python call: one module a command, exported by `hpsearch`."""
