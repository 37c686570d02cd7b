"""Emulator of the runners of GitHub, act, Gitea and Forgejo, for one step with the action."""

from tests.runner.profiles import ACT, FORGEJO, GITEA, GITHUB, PROFILES, Profile
from tests.runner.runner import Runner, Stage, StageResult

__all__ = ["ACT", "FORGEJO", "GITEA", "GITHUB", "PROFILES", "Profile"]
__all__ += ["Runner", "Stage", "StageResult"]
