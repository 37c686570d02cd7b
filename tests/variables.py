"""Environment variables of a step, for tests that run it in this process."""

from __future__ import annotations

from tests.runner.profiles import GITHUB

KEY = "rca_Zm9vYmFy0123456789"
LOGIN_ID = "99999999-8888-4777-8666-555555555555"
VARIABLES = {
    "INPUT_API_KEY": KEY,
    "INPUT_SERVER_ID": "11111111-2222-4333-8444-555555555555",
    "INPUT_CREDENTIAL_ID": "66666666-7777-4888-9999-000000000000",
    "GITHUB_ACTION": "login",
    **GITHUB.variables,
}
PASSTHROUGH = {
    "INPUT_CREDENTIAL_ID": "",
    "INPUT_USERNAME": "octocat",
    "INPUT_ACCESS_TOKEN": "ghp_0123456789",
    "INPUT_REGISTRY_URL": "ghcr.io",
}
