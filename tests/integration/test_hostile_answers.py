"""A login and its logout with an API that says whatever it likes, in place of the network."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import requests
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lib.client import Client
from lib.clock import Deadline
from lib.environment import Environment
from lib.errors import ActionError
from lib.inputs import Inputs
from lib.login import log_in
from lib.logout import log_out
from lib.models import VaultLogin
from lib.redaction import spellings
from lib.transport import Answer, Transport, parse_json
from lib.workflow import Workflow
from tests import hostile
from tests.integration.job import CREDENTIAL_ID, KEY, SERVER_ID
from tests.runner import files
from tests.unit.fake_clock import FakeCancellation, FakeClock

API_URL = "https://api.example"
# Where GitHub's runner cuts the message of an annotation.
ANNOTATION_LIMIT = 4096
LONGEST_REGISTRY = "r" * 512
LONGEST_OPERATION = "o" * 128

ACCEPTED = {"operation_id": LONGEST_OPERATION, "registry_url": LONGEST_REGISTRY,
            "registry_type": "t" * 64}  # fmt: skip

# The key comes back too, as it is and between the letters of whatever else is said.
said = st.one_of(
    hostile.texts,
    hostile.texts.map(lambda text: f"{text}{KEY}{text}"),
    st.sampled_from(["%" * 5000, KEY * 1000, "\x1b[0m".join(KEY), "::error::" * 9000]),
)
statuses = st.sampled_from(["completed", "failed", "timeout"]) | said
exit_codes = st.sampled_from([0, 1, None]) | st.integers(-(10**4000), 10**4000)
results = st.none() | st.fixed_dictionaries(
    {"exit_code": exit_codes, "stdout": said, "stderr": said}
)
operations = st.fixed_dictionaries(
    {"operation_id": st.just("op-1"), "status": statuses, "server_name": said, "result": results}
)
# One field at a time: whatever breaks a rule is refused, so that others would not be looked at.
accepted = st.builds(
    lambda name, value: {**ACCEPTED, name: value},
    st.sampled_from(sorted(ACCEPTED)),
    said | st.sampled_from(["ghcr.io", "[::1]:5000"]),
)
field_errors = st.fixed_dictionaries({"loc": st.lists(said, max_size=3), "msg": said})
details = st.fixed_dictionaries({"detail": said | st.lists(field_errors | said, max_size=3)})

Response = tuple[int, Any]
refusals = st.tuples(st.sampled_from([302, 400, 403, 409, 422, 500, 503]), details)


def answered(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Response]:
    """Answer with something of this shape, mostly, or with a refusal."""
    return st.tuples(st.just(200), good) | refusals


class Api(Transport):
    """Answers each call with what it was made with, and notes the paths that were asked for."""

    def __init__(self, login: Response, operation: Response, logout: Response) -> None:
        super().__init__(API_URL, requests.Session(), KEY)
        self._login, self._operation, self._logout = login, operation, logout
        self.paths: list[str] = []

    def send(
        self, _method: str, path: str, _deadline: Deadline, _body: dict[str, Any] | None = None
    ) -> Answer:
        """Answer a request."""
        self.paths.append(path)
        answers = {"login": self._login, "logout": self._logout}
        status, content = answers.get(path.rpartition("/")[2], self._operation)
        body = json.dumps(content).encode()
        return Answer(status, parse_json(body, spellings(KEY)), is_empty=False, retry_after=None)


class Step:
    """Main and post, as `lib.entry` puts them together, on a clock of their own."""

    def __init__(self, folder: Path, api: Api) -> None:
        self.stream = io.StringIO()
        self.state_file, self.output_file = folder / "state", folder / "output"
        self._api = api
        self._workflow = Workflow(
            self.stream, state_file=self.state_file, output_file=self.output_file, debug=True
        )
        self._workflow.mask(KEY)

    def main(self) -> None:
        """Log in, and tell the error if there is one."""
        inputs = Inputs(
            api_key=KEY,
            login=VaultLogin(server_id=SERVER_ID, credential_id=CREDENTIAL_ID),
            cleanup=True,
            api_url=API_URL,
            timeout=30,
        )
        clock = FakeCancellation(1)
        try:
            log_in(
                inputs,
                is_composite=False,
                client=self._client(clock),
                workflow=self._workflow,
                cancellation=clock,
            )
        except ActionError as error:
            self._workflow.error(str(error))

    def post(self) -> None:
        """Log out, and tell the error if there is one."""
        clock = FakeClock(1)
        try:
            log_out(
                files.parse(self.state_file.read_text("utf-8"))["login"],
                KEY,
                connect=lambda _url, _key: self._client(clock),
                workflow=self._workflow,
                clock=clock,
            )
        except ActionError as error:
            self._workflow.warning(str(error))

    def _client(self, clock: FakeCancellation | FakeClock) -> Client:
        told = self._workflow
        return Client(self._api, Environment({}).run(), clock, info=told.info, debug=told.debug)


LONGEST = "%" * 5000
FAILED = {"operation_id": "op-1", "status": "failed", "server_name": LONGEST,
          "result": {"exit_code": 1, "stdout": "", "stderr": LONGEST}}  # fmt: skip
COLORED = "\x1b[0m".join(KEY)
HUGE = {**FAILED, "result": {"exit_code": 10**4000}}
WORKED = {"operation_id": "op-1", "status": "completed", "server_name": LONGEST,
          "result": {"exit_code": 0, "stdout": "", "stderr": ""}}  # fmt: skip


@settings(max_examples=300)
@given(answered(accepted), answered(operations), answered(accepted))
@example((200, ACCEPTED), (200, FAILED), (200, ACCEPTED))
@example((200, ACCEPTED), (200, HUGE), (200, ACCEPTED))
@example((403, {"detail": "x" * 580 + COLORED}), (200, WORKED), (200, ACCEPTED))
@example((200, ACCEPTED), (200, WORKED), (403, {"detail": LONGEST}))
@example((200, ACCEPTED), (404, {"detail": LONGEST}), (200, ACCEPTED))
@example((200, ACCEPTED), (404, {"detail": LONGEST}), (500, {"detail": LONGEST}))
def test_nothing_an_api_says_commands_the_runner(
    login: Response, operation: Response, logout: Response
) -> None:
    """The log has our commands and no others, the key nowhere, and the files our entries alone."""
    with tempfile.TemporaryDirectory() as folder:
        step = Step(Path(folder), api := Api(login, operation, logout))
        step.main()
        step.post()
        log, state = step.stream.getvalue(), step.state_file.read_text("utf-8")
        outputs = step.output_file.read_text("utf-8") if step.output_file.exists() else ""

    check_log(log)
    assert KEY not in state + outputs + "".join(api.paths)
    assert json.loads(files.parse(state)["login"])["server_id"] == SERVER_ID
    assert files.parse(state).keys() == {"login"}
    assert files.parse(outputs).keys() in ({*()}, {"operation_id", "registry_url", "registry_type"})
    assert all(value.isascii() and value.isprintable() for value in files.parse(outputs).values())


def check_log(log: str) -> None:
    """Check that a log has a mask, then debug lines and annotations, and only text besides."""
    mask, *others = hostile.commands(log)
    assert mask == ("add-mask", KEY)
    assert {name for name, _ in others} <= {"debug", "error", "warning"}
    assert len([name for name, _ in others if name in {"error", "warning"}]) <= 2
    assert all(data.isprintable() for _, data in others)
    assert all(len(line) < ANNOTATION_LIMIT for line in log.splitlines() if line.startswith("::"))
    after_mask = log.partition("\n")[2]
    assert KEY[:12] not in after_mask
    assert KEY[-12:] not in after_mask
    assert all(line.isprintable() for line in log.split("\n"))


def test_a_status_never_heard_of_is_told_as_text() -> None:
    """A login that does not end names its last status, whatever that is."""
    running = {"operation_id": "op-1", "status": f"\r::error::{KEY} ##[group]"}
    with tempfile.TemporaryDirectory() as folder:
        step = Step(Path(folder), Api((200, ACCEPTED), (200, running), (200, ACCEPTED)))
        step.main()

    check_log(step.stream.getvalue())
    assert "its last status was : :error: :*** ## [group]" in step.stream.getvalue()
