"""The commands that keep a home small and safe: delete, prune, backup and restore."""
