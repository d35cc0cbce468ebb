"""What comes with the package beside code: the documents, and the studies as examples."""
