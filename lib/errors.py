"""What can go wrong, each with the words for it.

ActionError
├── InputError            an input is missing or malformed: nothing was sent
├── RunnerError           the runner gave no file to write state or outputs to
├── ApiError              a conversation with the API failed
│   ├── Unreachable       no answer, or none that could be read to its end
│   ├── Refusal           the API answered with a status that is not success
│   └── ProtocolError     an answer of success that is not the API's
├── LoginFailed           the server ran `docker login`, and it did not work
├── OperationUnfinished   the time was over before the operation was
├── LogoutFailed          the server may still be logged in
└── StateError            post cannot use what main saved

`lib.entry` alone turns these into annotations and exit codes.
"""

from __future__ import annotations

from lib import advice

# Statuses that a later try may well not meet again.
TRANSIENT_STATUSES = frozenset({408, 425, 429, 500, 502, 503, 504})


class ActionError(Exception):
    """An error that is told to the user.

    Args:
        what: What happened, as a clause without a full stop.
        said: The words of the API or of docker, if there are any. They come from outside.
        remedy: What to do, in whole sentences.
        operation_id: The operation to look for in Reoclo's audit log, if there is one.

    Attributes:
        is_bug: Whether this action itself is at fault, so that developers want its cause.
    """

    is_bug = False

    def __init__(self, what: str, *, remedy: str, said: str = "", operation_id: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.said = said
        self.remedy = remedy
        self.operation_id = operation_id

    def __str__(self) -> str:
        """Tell, in this order: what happened, whose words, what to do, which operation."""
        happened = f"{self.what}: {self.said.rstrip('.')}." if self.said else f"{self.what}."
        operation = f" (Operation {self.operation_id}.)" if self.operation_id else ""
        return f"{happened} {self.remedy}{operation}"


class InputError(ActionError):
    """An input is missing or malformed."""


class RunnerError(ActionError):
    """The runner gave no usable file for state or outputs."""


class ApiError(ActionError):
    """A conversation with the API failed.

    Attributes:
        transient: Whether the same request may work if it is sent again.
        lost: Whether the API may have acted on this request, or on an earlier try of it,
            although no answer tells.
        attempts: How often the request was sent.
    """

    transient = False
    lost = True
    attempts = 1

    def __str__(self) -> str:
        """Tell the error, with the number of attempts where there were several."""
        told = super().__str__()
        return told if self.attempts == 1 else f"{told} (Tried {self.attempts} times.)"


class Unreachable(ApiError):
    """No answer came, or it broke off.

    Args:
        what: As for `ActionError`.
        remedy: As for `ActionError`.
        transient: False where another try cannot help, as with an untrusted certificate.
        lost: False where the request cannot have reached the API.
    """

    def __init__(self, what: str, *, remedy: str, transient: bool, lost: bool) -> None:
        super().__init__(what, remedy=remedy)
        self.transient = transient
        self.lost = lost


class Refusal(ApiError):
    """The API answered with a status that is not success.

    Args:
        what: As for `ActionError`.
        status: The HTTP status.
        said: The API's own words.
        remedy: As for `ActionError`.
        retry_after: How many seconds the API asks to wait, if it does.
    """

    def __init__(
        self, what: str, *, status: int, said: str, remedy: str, retry_after: float | None
    ) -> None:
        super().__init__(what, said=said, remedy=remedy)
        self.status = status
        self.retry_after = retry_after
        self.transient = status in TRANSIENT_STATUSES
        self.lost = status >= 500 and not self.asks_for_patience

    @property
    def asks_for_patience(self) -> bool:
        """Whether the API is only busy, so that tries are bounded by the deadline alone."""
        return self.status == 429 or (self.status == 503 and self.retry_after is not None)


class ProtocolError(ApiError):
    """An answer of success that is not the API's.

    Args:
        expected: What should have been there.
    """

    def __init__(self, expected: str) -> None:
        super().__init__(
            f"The answer is not one of the Reoclo API: expected {expected}",
            remedy=advice.NOT_THE_API,
        )


class LoginFailed(ActionError):
    """The server ran `docker login`, and it did not work."""


class OperationUnfinished(ActionError):
    """The time was over before the operation was."""


class LogoutFailed(ActionError):
    """The server may still be logged in."""


class StateError(ActionError):
    """Post cannot use what main saved."""
