"""The CI runner: environment, log and command files. Knows nothing of the API."""
