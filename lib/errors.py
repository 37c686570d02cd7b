"""Exception hierarchy. `lib.entry` alone turns errors into annotations and exit codes.

An error does not change once it is raised: `dataclasses.replace` returns one with more context.
"""

from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field

from lib.hints import Hint

# Statuses that are often transient; the last group is Cloudflare's, which serves the API.
RETRYABLE_STATUSES = {408, 425, 429, 500, 502, 503, 504, 520, 521, 522, 523, 524, 527, 530}


@dataclass(eq=False)
class ActionError(Exception):
    """Error that the user sees as one annotation."""

    summary: str  # what failed, as a clause without a full stop
    _: KW_ONLY
    hint: Hint
    # Foreign text, which the runner redacts, sanitizes and truncates on its way to the log.
    detail: str = field(default="", repr=False)
    operation_id: str = ""
    operation_label: str = "operation"

    def __str__(self) -> str:
        return self.message(lambda detail: detail)

    @property
    def headline(self) -> str:
        """The summary and what else is known of the failure."""
        return self.summary

    def message(self, excerpt: Callable[[str], str]) -> str:
        """Return the whole message with an excerpt of the detail."""
        detail = excerpt(self.detail).rstrip(". ")
        failed = f"{self.headline}: {detail}." if detail else f"{self.headline}."
        operation = f" ({self.operation_label} {self.operation_id})" if self.operation_id else ""
        return f"{failed} {self.hint.text}{operation}"


class InputError(ActionError):
    """A step input is missing or invalid; nothing was sent."""


class RunnerError(ActionError):
    """A file of the runner cannot be written, or must not contain a value."""


@dataclass(eq=False)
class ApiError(ActionError):
    """A request to the API failed."""

    _: KW_ONLY
    retryable: bool = False
    maybe_processed: bool = True  # this request, or an earlier attempt
    attempts: int = 1
    status: int = 0  # of the response, if there was one
    retry_after: float | None = None  # in seconds

    @property
    def headline(self) -> str:
        """The summary, and the number of attempts if there were several."""
        return self.summary if self.attempts == 1 else f"{self.summary} ({self.attempts} attempts)"

    @property
    def is_throttled(self) -> bool:
        """Whether the API requests a later attempt, so that only the deadline limits attempts."""
        return self.status == 429 or (self.status == 503 and self.retry_after is not None)


class TransportError(ApiError):
    """No response, or an incomplete one."""


class StatusError(ApiError):
    """A status other than 2xx."""


class InvalidResponse(ApiError):
    """A 2xx response that is not the API's, or one that cannot be used."""


class LoginFailed(ActionError):
    """The server ran `docker login`, and it failed."""


class OperationTimeout(ActionError):
    """The operation did not finish in time."""


class LogoutFailed(ActionError):
    """The server may still be logged in."""


class StateError(ActionError):
    """Post cannot use the state that main saved."""
