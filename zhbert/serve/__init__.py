"""Models that answer over HTTP: a queue that batches, limits on whatever comes in, and what is counted."""
