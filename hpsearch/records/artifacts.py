"""Names of the files among a run's artifacts."""

CLAIMS, COMPARISON, AGREEMENT = "claims.json", "comparison.csv", "agreement.json"
