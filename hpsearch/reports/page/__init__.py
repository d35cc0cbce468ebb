"""report.html: one page that needs no server, no network and, to be read, no script."""
