"""Our own pages beside MLflow's: the studies of a home, how far they are and what they found."""
