"""Time limits: connections that hang, dead addresses, requested waits, cancellation."""

from __future__ import annotations

import os
import signal
import time

import pytest
from urllib3.connectionpool import HTTPConnectionPool

from lib.api.connection import Limits, RecordingAdapter, _Recording
from lib.api.transport import Transport, open_session
from lib.deadline import Deadline, SystemClock
from tests.integration.conftest import MakeJob
from tests.integration.job import KEY
from tests.integration.sockets import DONE, LOGIN, RUNNING, Answer, Server, unresponsive

# A request in flight passes a checkpoint every 0.1 s, which then counts as three seconds.
TICK = 3.0


@pytest.mark.parametrize("hanging", ["poll", "logout"])
def test_hanging_connection_leaves_post_time_to_log_out(hanging: str, make_job: MakeJob) -> None:
    polls = [Answer(body=RUNNING if hanging == "poll" else DONE)]
    with Server("serve", answers={"op-1": polls}) as api:
        job = make_job(api.port, INPUT_TIMEOUT="1")
        assert job.main().code == (hanging == "poll")
        before = len(api.calls)
        polls[:] = api.answers["op-1"][:] = [Answer(body=DONE)]
        api.scripts = ["request stall", "serve"]
        seen = api.connections
        job.tick = lambda: TICK if api.connections < seen + 2 else 0.0
        post = job.post()
    first = "op-1" if hanging == "poll" else "logout"
    assert api.calls[before:] == [first, *(["op-1"] * (hanging == "poll")), "logout", "op-2"]
    assert post.warnings == []


def test_login_attempt_may_take_longer_than_a_poll(make_job: MakeJob) -> None:
    """A second login request is a second login."""
    slow = Answer(202, LOGIN, before=lambda: time.sleep(0.65))  # at most 21 s
    with Server("serve", answers={"login": [slow]}) as api:
        job = make_job(api.port, INPUT_TIMEOUT="30")
        job.tick = lambda: TICK if api.calls == ["login"] else 0.0
        assert job.main().code == 0
    assert api.calls == ["login", "op-1"]


def test_wait_beyond_posts_time_logs_out_and_warns(make_job: MakeJob) -> None:
    with Server("serve", answers={"op-1": [Answer(body=RUNNING)]}) as api:
        job = make_job(api.port, INPUT_TIMEOUT="1")
        job.main()
        before = len(api.calls)
        api.answers["op-1"] = [Answer(429, headers={"Retry-After": "600"})]
        post = job.post()
    assert api.calls[before:] == ["op-1", "logout", "op-2"]
    assert post.anchors == ["late-login"]


@pytest.mark.parametrize("seconds", ["301", "9999999999", "1" + "0" * 400])
def test_wait_beyond_the_deadline_ends_main(seconds: str, make_job: MakeJob) -> None:
    throttled = Answer(503, headers={"Retry-After": seconds})
    with Server("serve", answers={"login": [throttled]}) as api:
        assert make_job(api.port).main().code == 1
    assert api.calls == ["login"]


def test_dead_address_costs_little_of_the_time() -> None:
    """The name's first address does not respond; the deadline allows no full connect timeout."""
    with Server("serve") as api, unresponsive() as dead, open_session(KEY, None) as session:

        class TwoAddresses(_Recording):
            def _addresses(self) -> list[tuple[str, int]]:
                return [dead, ("127.0.0.1", api.port)]

        class Pool(HTTPConnectionPool):
            ConnectionCls = TwoAddresses

        adapter = session.get_adapter("http://")
        assert isinstance(adapter, RecordingAdapter)
        adapter.poolmanager.pool_classes_by_scheme = {"http": Pool}
        clock = SystemClock()
        limits = Limits(address=0.1, connect=60, read=60)
        transport = Transport("http://two-addresses", session, clock, limits)
        deadlines = (Deadline(clock, 20),)
        assert transport.send("GET", "/op-1", None, deadlines=deadlines).status == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cancellation_waits_for_the_login_response(
    number: signal.Signals, make_job: MakeJob
) -> None:
    canceling = Answer(202, LOGIN, before=lambda: os.kill(os.getpid(), number))
    with Server("serve", answers={"login": [canceling]}) as api:
        job = make_job(api.port)
        main = job.main()
        assert (main.code, main.errors, job.stages) == (130, [], ["requested", "accepted"])
        assert "operation_id" in job.outputs
        assert job.post().warnings == []
    assert api.calls == ["login", "op-1", "logout", "op-2"]


def test_cancellation_gives_up_a_login_without_response(make_job: MakeJob) -> None:
    with Server("serve") as api:

        def cancel() -> None:
            os.kill(os.getpid(), signal.SIGTERM)
            api.released.wait(10)

        api.answers["login"] = [Answer(202, LOGIN, before=cancel)]
        job = make_job(api.port)
        job.tick = lambda: TICK
        main = job.main()
    assert (main.code, main.errors, job.stages) == (130, [], ["requested"])
    assert api.calls == ["login"]


def test_cancellation_while_polling_ends_main(make_job: MakeJob) -> None:
    canceling = Answer(body=RUNNING, before=lambda: os.kill(os.getpid(), signal.SIGINT))
    with Server("serve", answers={"op-1": [canceling, Answer(body=DONE)]}) as api:
        job = make_job(api.port)
        assert (job.main().code, job.stages) == (130, ["requested", "accepted"])
        assert job.post().warnings == []
    assert api.calls == ["login", "op-1", "op-1", "logout", "op-2"]
