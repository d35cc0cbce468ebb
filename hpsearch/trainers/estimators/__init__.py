"""What estimators share: their rules, those of one's own, and the files they are kept as."""
