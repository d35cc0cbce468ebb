"""Before a search begins or goes on: a first try, trials of another study, the packages."""
