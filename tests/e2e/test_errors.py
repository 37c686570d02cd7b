"""Each row of the error catalogue, told by the real process.

Every error says what happened, in whose words, what to do, and which operation it was. None
has a traceback, the name of a library's class, HTML or JSON in it.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from lib import advice
from tests.e2e.conftest import MakeRunner
from tests.fake_api import FakeApi
from tests.integration.conversation import (
    CLOSE,
    REFUSE,
    RESET,
    STALL,
    Answer,
    accepted,
    login,
    logout,
    play,
    polls,
    without_end,
)
from tests.runner import StageResult
from tests.runner.checkout import ROOT

SOON = {"timeout": "2"}
# No error may look like this: a class of a library, a traceback, a page, a piece of JSON.
_UNFIT = re.compile(r"\b\w+(?:Error|Exception|Warning)\b|Traceback|File \"|urllib3|</?\w+>|[{}]")


def messages_of_the_readme() -> list[re.Pattern[str]]:
    """Give the messages that the README's table explains; an ellipsis stands for anything."""
    readme = (ROOT / "README.md").read_text("utf-8")
    table = readme.partition("## Troubleshooting")[2].partition("\n## ")[0]
    messages = re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)
    return [re.compile(re.escape(message).replace("…", ".*")) for message in messages]


def told(result: StageResult, level: str = "error") -> str:
    """Give the one annotation of a stage, after a look at its form."""
    [(found, message)] = result.log.annotations
    assert found == level
    assert _UNFIT.search(message) is None
    assert re.search(r"\.\)?$", message)
    assert any(known.match(message) for known in messages_of_the_readme())
    assert "Traceback" not in result.output
    return message


def fail(make_runner: MakeRunner, api: FakeApi, **inputs: str) -> str:
    """Run main and post against an API, and give main's error; post must raise none."""
    with api:
        runner = make_runner(api, **inputs)
        main = runner.main()
        post = runner.post()
    api.verify()
    assert (main.exit_code, post.exit_code) == (1, 0)
    assert {level for level, _ in post.log.annotations} <= {"warning"}
    return told(main)


FINAL = {
    302: ("sends the request to another address", "Check api_url", None),
    400: ("refuses the request (400)", "Check that api_url", "no such thing"),
    401: ("does not accept the key (401)", "has not been revoked", "Invalid key"),
    403: ("does not allow this to the key (403)", "the operation registry_login", "Not in scope"),
    404: (
        "does not know what the request names",
        "Check server_id and credential_id",
        "Server not found",
    ),
    409: ("cannot do this now (409)", "runner agent is online", "Agent is offline"),
    422: ("does not understand a field", "Correct the input that is named", "Not a UUID"),
    501: ("has a problem of its own (501)", "ask Reoclo's support", "Not here"),
}
PASSING = {
    408: ("took too long (408)", "ask Reoclo's support"),
    425: ("is not ready for the request yet (425)", "ask Reoclo's support"),
    429: ("has had too many requests with this key (429)", "rate limit"),
    500: ("has a problem of its own (500)", "ask Reoclo's support"),
    502: ("has a problem of its own (502)", "ask Reoclo's support"),
    503: ("has a problem of its own (503)", "ask Reoclo's support"),
    504: ("has a problem of its own (504)", "ask Reoclo's support"),
}


@pytest.mark.parametrize("status", FINAL)
def test_a_final_status_is_told_at_once(make_runner: MakeRunner, status: int) -> None:
    """What another try cannot change is one request and one error, with the API's own words."""
    what, remedy, said = FINAL[status]
    headers = {"Location": "https://elsewhere.invalid/"} if status == 302 else {}
    message = fail(
        make_runner,
        play(login({"status": status, "headers": headers, "body": {"detail": said}})),
    )

    assert message.startswith(f"The Reoclo API {what}")
    assert remedy in message
    assert (said or what) in message


@pytest.mark.parametrize("status", PASSING)
def test_a_passing_status_that_stays_is_told_with_its_attempts(
    make_runner: MakeRunner, status: int
) -> None:
    """What does not pass in time is told as what it is; a proxy's page is not shown."""
    what, remedy = PASSING[status]
    page = {"status": status, "body": "<html><h1>Gateway</h1></html>"}
    message = fail(make_runner, play(without_end(login(page))), **SOON)

    assert message.startswith(f"The Reoclo API {what}")
    assert remedy in message
    assert "Gateway" not in message


def test_every_status_of_the_table_is_told() -> None:
    """No row of the catalogue goes without a test."""
    assert set(advice.STATUS_ADVICE) <= {*FINAL, *PASSING}


DOCKER = {
    "cannot connect to the docker daemon": (
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
        "Start docker on the server",
    ),
    "permission denied while trying to connect": (
        "permission denied while trying to connect to the Docker daemon socket",
        "the server's group docker",
    ),
    "permission denied": (
        "Error saving credentials: open /home/x/.docker/config.json: permission denied",
        "write docker's configuration",
    ),
    "no such host": ("dial tcp: lookup registry.example: no such host", "the server's DNS"),
    "x509": (
        "tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "add the registry's CA to docker on the server",
    ),
    "toomanyrequests": ("toomanyrequests: rate exceeded", "log in less often"),
    "unauthorized": ("unauthorized: incorrect username or password", "in the credential in Reoclo"),
    "denied": ("denied: access forbidden", "lacks the right to this registry"),
    "": ("Error: something new", "Docker's own words are in the log above"),
}


@pytest.mark.parametrize("sign", DOCKER)
def test_what_docker_says_is_told_with_what_it_means(make_runner: MakeRunner, sign: str) -> None:
    """Docker's stderr is in the error, with the remedy for it and the operation."""
    stderr, remedy = DOCKER[sign]
    failed = {"status": "failed", "result": {"exit_code": 1, "stderr": f"{stderr}\n"}}
    with play(login(accepted()), polls("login", failed)) as api:
        runner = make_runner(api)
        main = runner.main()
        post = runner.post()
    api.verify()

    message = told(main)
    assert message.startswith("The login to ghcr.io on server build-1 failed (exit code 1")
    for said in (stderr.rstrip("."), remedy, main.outputs["operation_id"]):
        assert said in message
    assert f"  | {stderr}" in main.log.shown
    assert post.log.annotations == []


def test_every_sign_of_docker_in_the_table_is_told() -> None:
    """No row of the catalogue goes without a test."""
    assert {*advice.DOCKER_ADVICE, ""} == set(DOCKER)


def test_a_page_that_docker_quotes_is_left_out_of_the_error(make_runner: MakeRunner) -> None:
    """What a proxy before the registry answered to docker is in the log, not in the error."""
    stderr = "Error: error parsing HTTP 403 response body: '<html><body>Blocked</body></html>'"
    failed = {"status": "failed", "result": {"exit_code": 1, "stderr": stderr}}
    message = fail(make_runner, play(login(accepted()), polls("login", failed)))

    assert "error parsing HTTP 403 response body" in message
    assert "Blocked" not in message


UNENDED: dict[str, tuple[Answer, str]] = {
    "the server's own timeout": ({"status": "timeout"}, "took longer than Reoclo waits for"),
    "no result": ({"status": "completed"}, "without saying how it went"),
    "no exit code": ({"status": "completed", "result": {}}, "without saying how it went"),
}


@pytest.mark.parametrize("name", UNENDED)
def test_an_end_that_says_nothing_is_told_as_that(make_runner: MakeRunner, name: str) -> None:
    """A login that may have worked is red, names its operation, and is logged out."""
    operation, said = UNENDED[name]
    api = play(login(accepted()), polls("login", operation, operation), logout({"status": 204}))
    message = fail(make_runner, api)

    assert said in message
    assert "(Operation " in message


def test_a_login_that_does_not_end_is_told_with_the_time_and_its_status(
    make_runner: MakeRunner,
) -> None:
    """Past the timeout the error names the operation, its last status and the time waited."""
    running = without_end(polls("login", {"status": "queued"}))
    api = play(login(accepted()), running, logout({"status": 204}))
    with api:
        runner = make_runner(api, timeout="1")
        message = told(runner.main())

    assert re.match(r"The operation has not ended after \d+ s; its last status was queued", message)
    assert "runner agent is online" in message
    assert "(Operation " in message


POLL_FAULTS: dict[str, tuple[Answer, str, str]] = {
    "403": ({"status": 403, "body": {"detail": "No"}}, "(403): No", "registry_login (or registry"),
    "404": ({"status": 404}, "(404)", "Check server_id"),
    "busy": (
        {"status": 429, "headers": {"Retry-After": "900"}},
        "asks to wait 900 s",
        "Raise the key's rate limit",
    ),
    "503": ({"status": 503, "body": "<html>"}, "a problem of its own (503)", "in a few minutes"),
    "a page": ({"body": "<html>"}, "expected a JSON object", "Check that api_url"),
    "no status": ({"body": {"operation_id": "x"}}, "expected status to be a text", "api_url"),
}


@pytest.mark.parametrize("name", POLL_FAULTS)
def test_a_poll_that_fails_is_told_with_the_operation(make_runner: MakeRunner, name: str) -> None:
    """The fault, its own remedy, and the operation that cannot be asked about."""
    answer, what, remedy = POLL_FAULTS[name]
    poll = without_end(polls("login", {}))
    poll["responses"] = [answer]
    with play(login(accepted()), poll, logout({"status": 204})) as api:
        main = make_runner(api, **SOON).main()

    message = told(main)
    for said in (what, remedy, main.outputs["operation_id"]):
        assert said in message


STRANGE: dict[str, tuple[Any, str]] = {
    "a page": ("<!doctype html><title>Sign in</title>", "a JSON object"),
    "nothing": ("", "a JSON object"),
    "a list": ("[1]", "a JSON object"),
    "broken JSON": ('{"operation_id":', "a JSON object"),
    "no operation": ({"registry_url": "a", "registry_type": "b"}, "operation_id to be a text"),
    "a number": ({"operation_id": 7}, "operation_id to be a text"),
    "a path": ({"operation_id": "../x"}, "operation_id to look like one"),
    "no registry": ({"operation_id": "x"}, "registry_url to be a text"),
    "an expression": (
        {"operation_id": "x", "registry_url": "${{ x }}"},
        "registry_url to look like one",
    ),
    "no type": ({"operation_id": "x", "registry_url": "a"}, "registry_type to be a text"),
}


@pytest.mark.parametrize("name", STRANGE)
def test_an_answer_that_is_not_the_apis_is_told_as_that(make_runner: MakeRunner, name: str) -> None:
    """The error names what was expected, and points to api_url."""
    body, expected = STRANGE[name]
    message = fail(make_runner, play(login({"body": body})))

    assert f"The answer is not one of the Reoclo API: expected {expected}" in message
    assert "Check that api_url is the address of the Reoclo API" in message


NETWORK: dict[str, tuple[Answer, str]] = {
    "close": (CLOSE, "the connection was closed, or the answer broke off"),
    "reset": (RESET, "connection reset by peer"),
    "stall": (STALL, "no answer in time"),
    "truncate": (
        {**accepted(), "fault": "truncate"},
        "the connection was closed, or the answer broke off",
    ),
    "drip": ({**accepted(), "fault": "drip"}, "no answer in time"),
}


@pytest.mark.parametrize("name", NETWORK)
def test_a_network_that_fails_is_told_in_plain_words(make_runner: MakeRunner, name: str) -> None:
    """What the network did is told without the words of a library, with what to check."""
    fault, reason = NETWORK[name]
    message = fail(make_runner, play(without_end(login(fault))), **SOON)

    assert message.startswith(f"The Reoclo API cannot be reached: {reason}.")
    assert "Check api_url, and that this runner may reach it" in message


def test_an_api_that_takes_no_connections_is_told(make_runner: MakeRunner) -> None:
    """A connection that is refused is named, and nothing was logged in."""
    message = fail(make_runner, play(without_end(login(REFUSE))), **SOON)

    assert message.startswith("The Reoclo API cannot be reached: connection refused.")
    assert "(Tried " in message


def elsewhere(make_runner: MakeRunner, environment: dict[str, str], **inputs: str) -> str:
    """Run main with an address where there is no API, and give its error."""
    runner = make_runner(environment=environment, **inputs)
    main = runner.main()
    assert main.exit_code == 1
    assert runner.post().log.annotations == []
    return told(main)


def test_a_name_that_cannot_be_resolved_is_told(make_runner: MakeRunner) -> None:
    """Nothing was logged in where the API's name has no address."""
    name = ".".join(["a" * 60] * 5)  # longer than any name: no server is asked for it
    message = elsewhere(make_runner, {}, api_url=f"https://{name}", **SOON)
    assert message.startswith("The Reoclo API cannot be reached: its name cannot be resolved.")


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"HTTPS_PROXY": "socks5://127.0.0.1:1"}, "The proxy that the environment names cannot"),
        ({"HTTPS_PROXY": "http://user:hunt#er2@127.0.0.1:1"}, "%23"),
        (
            {"HTTPS_PROXY": "http://user:hunter2@127.0.0.1:1"},
            "cannot be reached: connection refused",
        ),
    ],
    ids=["SOCKS", "a password that is not quoted", "a proxy that is gone"],
)
def test_an_environment_that_is_wrong_is_told(
    make_runner: MakeRunner, variables: dict[str, str], said: str
) -> None:
    """What the environment names and is not there is told as that, without its secrets."""
    message = elsewhere(make_runner, variables, api_url="https://127.0.0.1:1", **SOON)

    assert said in message
    assert "hunt" not in message


def test_a_proxy_that_refuses_is_told(make_runner: MakeRunner) -> None:
    """A proxy that opens no tunnel is named with its status, at once."""
    with FakeApi([]) as proxy:
        message = elsewhere(make_runner, {"HTTPS_PROXY": proxy.url}, api_url="https://127.0.0.1:1")

    assert len(proxy.requests) == 1
    assert message.startswith("The proxy that the environment names cannot be used: it refuses (")
    assert "name and password" in message


def test_an_api_without_tls_is_told(make_runner: MakeRunner) -> None:
    """An https address of something that speaks plain http is final, in plain words."""
    with FakeApi([]) as api:
        message = elsewhere(make_runner, {}, api_url=api.url.replace("http:", "https:"))

    assert message.startswith("The Reoclo API cannot be reached: it speaks no TLS")
    assert "Tried" not in message


LOGOUT: dict[str, tuple[list[dict[str, Any]], str]] = {
    "not allowed": ([logout({"status": 403, "body": {"detail": "No"}})], "registry_logout"),
    "no such server": ([logout({"status": 404})], "(404)"),
    "the agent is gone": ([logout({"status": 409})], "runner agent is online"),
    "a page": ([logout({"body": "<html>"})], "expected a JSON object"),
    "docker cannot": (
        [
            logout({"body": {"operation_id": "<logout_operation>"}}),
            polls("logout", {"status": "failed", "result": {"exit_code": 1, "stderr": "no disk"}}),
        ],
        "no disk",
    ),
    "the server's own timeout": (
        [
            logout({"body": {"operation_id": "<logout_operation>"}}),
            polls("logout", {"status": "timeout"}),
        ],
        "status timeout",
    ),
}


@pytest.mark.parametrize("name", LOGOUT)
def test_a_logout_that_fails_is_one_warning_with_a_remedy(
    make_runner: MakeRunner, name: str
) -> None:
    """What stays logged in, where, why, and the command that removes it."""
    exchanges, why = LOGOUT[name]
    done = {"status": "completed", "result": {"exit_code": 0}}
    with play(login(accepted()), polls("login", done), *exchanges) as api:
        runner = make_runner(api)
        assert runner.main().exit_code == 0
        post = runner.post()
    api.verify()

    message = told(post, "warning")
    assert post.exit_code == 0
    assert re.match(r"Server [0-9a-f-]{36} may still be logged in to ghcr\.io: ", message)
    assert why in message
    assert "run `docker logout ghcr.io` on that server" in message
    assert "(Operation " in message
