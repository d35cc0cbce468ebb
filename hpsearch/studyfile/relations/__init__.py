"""Relations between parameters: what they mean, how they are read, and which draws keep them."""
