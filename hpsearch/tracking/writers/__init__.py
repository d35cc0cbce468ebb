"""How runs of records get into an MLflow store: one contract, by its calls or into its tables."""
