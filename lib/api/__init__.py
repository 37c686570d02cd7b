"""The Reoclo automation API. Knows nothing of runners."""
