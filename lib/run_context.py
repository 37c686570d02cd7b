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
        context = asdict(self)
        run_id = context.pop("run_id")
        for name in ("sha", "ref"):
            if not context[name]:
                del context[name]
        return {**({"run_id": run_id} if run_id else {}), "run_context": context}
