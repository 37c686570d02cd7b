"""The audit trail that the fake API keeps, as Reoclo's own does: who did what, when, from where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

OPERATIONS = {
    "/api/automation/v1/registry-auth/login": "registry_login",
    "/api/automation/v1/registry-auth/login-direct": "registry_login",
    "/api/automation/v1/registry-auth/logout": "registry_logout",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One login or logout that was asked for."""

    at: str
    operation: str
    outcome: str
    key: str
    server_id: str
    target: str
    run_id: str
    provider: str
    repository: str
    workflow: str
    trigger: str
    actor: str
    sha: str
    ref: str


def entry(*, at: str, path: str, status: int | None, key: str, body: dict[str, Any]) -> AuditEntry:
    """Make the entry for a request.

    Args:
        at: When it came.
        path: What it asked for.
        status: What it was answered; None if it was not.
        key: The key it came with; only its end is kept.
        body: What it said.
    """
    context = body.get("run_context", {})
    return AuditEntry(
        at=at,
        operation=OPERATIONS[path],
        outcome=_outcome(status),
        key=f"{key[:4]}…{key[-4:]}",
        server_id=body.get("server_id", ""),
        target=body.get("registry_url") or f"credential {body.get('credential_id', '')}",
        run_id=body.get("run_id", ""),
        provider=context.get("provider", ""),
        repository=context.get("repository", ""),
        workflow=context.get("workflow", ""),
        trigger=context.get("trigger", ""),
        actor=context.get("actor", ""),
        sha=context.get("sha", ""),
        ref=context.get("ref", ""),
    )


def _outcome(status: int | None) -> str:
    if status is None:
        return "not answered"
    return "accepted" if status < 300 else f"refused ({status})"


def tell_briefly(found: AuditEntry) -> str:
    """Tell an entry on one line."""
    return (
        f"{found.at} {found.operation} {found.outcome}, by {found.actor or '?'} with key "
        f"{found.key} for {found.repository or '?'}, on server {found.server_id}, {found.target}"
    )


def tell(number: int, found: AuditEntry) -> str:
    """Tell an entry to a person, on a few lines."""
    return "\n".join(
        [
            f"{number}. {found.at}  {found.operation}  {found.outcome}",
            f"   what    server {found.server_id}, {found.target}",
            f"   who     {found.actor}, with key {found.key}",
            f"   where   {found.repository}, workflow {found.workflow!r}, on {found.trigger}",
            f"   run     {found.run_id or '?'} ({found.provider})",
            f"   commit  {found.sha or '?'} on {found.ref or '?'}",
        ]
    )
