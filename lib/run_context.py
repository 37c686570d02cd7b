"""Which workflow run this is, for Reoclo's audit log."""

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class RunContext:
    """Workflow run as the audit log records it. `sha`, `ref` and `run_id` may be unknown."""

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
        optional = {"run_id", "sha", "ref"}
        context = {name: x for name, x in asdict(self).items() if x or name not in optional}
        run_id = {"run_id": context.pop("run_id")} if self.run_id else {}
        return {**run_id, "run_context": context}
