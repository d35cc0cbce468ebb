"""The study layer: study file, space, samplers, stages, and the coordinator of a study."""
