"""What the report of a study on a table has beside that of other studies."""
