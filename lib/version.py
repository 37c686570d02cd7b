"""The version of this action."""

__version__ = "1.2.0"
