"""The tests, and what they are made of: a fake API, a runner, a demo."""
