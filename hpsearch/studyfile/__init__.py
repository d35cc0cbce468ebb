"""What a person writes: the study file, its tables, and what is wrong with them."""
