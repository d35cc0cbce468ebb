"""What follows a search: the best run again beside the defaults, the choice, the test."""
