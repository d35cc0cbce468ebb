"""Tables whose columns are prepared: as a trainer learns from them, and as a model of raw rows."""
