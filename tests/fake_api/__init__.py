"""A fake Reoclo API that plays the recordings in fixtures/, for tests and for people."""

from tests.fake_api.api import FakeApi, SeenRequest

__all__ = ["FakeApi", "SeenRequest"]
