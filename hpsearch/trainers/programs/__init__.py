"""Programs of a user's own: what they print, and how they are run and ended."""
