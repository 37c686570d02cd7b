"""A small runner for the tests: it treats the action as the runners of its users do."""

from tests.runner.profiles import ACT, FORGEJO, GITEA, GITHUB, PROFILES, Profile
from tests.runner.runner import Runner, Stage, StageResult

__all__ = [
    "ACT",
    "FORGEJO",
    "GITEA",
    "GITHUB",
    "PROFILES",
    "Profile",
    "Runner",
    "Stage",
    "StageResult",
]
