"""Fake Reoclo API that plays the recordings in fixtures/."""

from tests.fake_api.api import FakeApi, SeenRequest
from tests.fake_api.recording import load, names

__all__ = ["FakeApi", "SeenRequest", "load", "names"]
