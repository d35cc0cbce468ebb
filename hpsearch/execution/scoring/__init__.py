"""How scores of what is predicted are worked out."""
