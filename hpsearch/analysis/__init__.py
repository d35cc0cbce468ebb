"""What trials say: ranks, ranges, fronts, importance, fidelity, answers."""
