"""Which workflow run this is, for Reoclo's audit log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Workflow run as the audit log records it.

    `sha`, `ref` and `run_id` are empty if unknown.
    """

    provider: str
    repository: str
    workflow: str
    trigger: str
    actor: str
    sha: str
    ref: str
    run_id: str

    def body(self) -> dict[str, Any]:
        """Return the fields that every login and logout request includes."""
        context = {
            "provider": self.provider,
            "repository": self.repository,
            "workflow": self.workflow,
            "trigger": self.trigger,
            "actor": self.actor,
        }
        optional = {"sha": self.sha, "ref": self.ref}
        context.update({name: value for name, value in optional.items() if value})
        return {**({"run_id": self.run_id} if self.run_id else {}), "run_context": context}
