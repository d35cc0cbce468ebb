"""From a table's columns to what a trainer learns from, fitted on the training rows of a split."""
