"""What MLflow's registry holds: the winner as a model, or the files of a program."""
