"""What several tests use; fixtures are in the conftest.py files."""
