"""What is recorded of a trial, and its projection into MLflow."""
