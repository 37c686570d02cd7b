"""Tests of lib.login: the checkpoint before the request."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from lib.api.client import Client
from lib.api.models import VaultLogin
from lib.api.transport import Transport, open_session
from lib.cancellation import Canceled, Cancellation
from lib.inputs import LoginInputs
from lib.login import log_in
from lib.runner.commands import Runner
from lib.state import LoginState, Stage
from lib.stop_file import StepFiles
from tests.unit.api_stub import CONTEXT

ID = "11111111-2222-4333-8444-555555555555"
URL = "http://127.0.0.1:9"  # nothing listens there


def test_login_is_not_sent_if_post_started_after_the_save(tmp_path: Path) -> None:
    file, log, files = tmp_path / "state", io.StringIO(), StepFiles(tmp_path, "login", ID)
    cancellation = Cancellation(file.exists)
    transport = Transport(URL, open_session("rca_x", None), cancellation)
    request = VaultLogin(server_id=ID, credential_id=ID)
    with pytest.raises(Canceled) as caught:
        log_in(
            LoginInputs(api_key="rca_x", request=request, cleanup=True, api_url=URL, timeout=300),
            LoginState(stage=Stage.NONE, id=ID),
            client=Client(transport, CONTEXT, cancellation, info=print, debug=print),
            runner=Runner(log, state_file=file, output_file=None, api_key="rca_x", debug=False),
            files=files,
            cancellation=cancellation,
        )
    assert not caught.value.maybe_processed
    assert file.read_text().count('"stage":"requested"') == 1
    assert LoginState.decode(files.newest_state()).stage is Stage.FAILED
