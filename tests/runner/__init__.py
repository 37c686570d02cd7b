"""A small runner for the tests: it treats the action as GitHub's own runner does."""

from tests.runner.runner import Runner, Stage, StageResult

__all__ = ["Runner", "Stage", "StageResult"]
