"""Relations between parameters: what they mean, of one configuration or of many."""
