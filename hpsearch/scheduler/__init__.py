"""Batches and schedules: their files, what is remembered of them, when they are due."""
