"""Whether records hold: derived again, trained again, compared with Optuna and MLflow."""
