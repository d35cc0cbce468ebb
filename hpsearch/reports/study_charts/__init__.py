"""The figures of a study, each a chart made from what is known of it."""
