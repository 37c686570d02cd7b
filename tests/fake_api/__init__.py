"""A fake Reoclo API that plays the recordings in fixtures/, for tests and for people."""

from tests.fake_api.api import FakeApi, SeenRequest
from tests.fake_api.recording import load, names

__all__ = ["FakeApi", "SeenRequest", "load", "names"]
