"""Programs that train: what their command line takes, read from their text, and a study of it.

Each kind of command line has a file: `argparse_options`, `click_options`, `typer_options`, and
`help_options` for what `--help` prints. Nothing here imports a program; `help_run` alone starts
one.
"""
