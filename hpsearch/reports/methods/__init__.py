"""What a paper says of a study: its methods in words, its result as a table, what it cites."""
