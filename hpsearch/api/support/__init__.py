"""What several commands rest on: the stores of a home, and the report of a study."""
