"""How to fix each failure, and where docs/troubleshooting.md explains it: data for error messages.

Labels of the Reoclo dashboard appear as the user sees them.
"""

from collections.abc import Mapping
from typing import NamedTuple

TROUBLESHOOTING = "https://github.com/reoclo/docker-auth/blob/v1/docs/troubleshooting.md"


class Hint(NamedTuple):
    """How to fix a failure. `anchor` names its section in docs/troubleshooting.md."""

    text: str
    anchor: str

    @property
    def link(self) -> str:
        """The URL of the section that explains the failure."""
        return f"{TROUBLESHOOTING}#{self.anchor}"


def _hint(text: str) -> Hint:
    """Return the hint for "anchor: text", where any whitespace counts as a space."""
    anchor, _, fix = " ".join(text.split()).partition(": ")
    return Hint(fix, anchor)


# Step inputs. The text names the input and depends on it, so inputs.py completes these.
INVALID_INPUT = "invalid-input"
MISSING_INPUT = "missing-input"
WHY_EMPTY = (
    "If the workflow already sets this input, the secret or variable is empty in this run. Check "
    "its name. Secrets are not available to workflows triggered by Dependabot or by pull requests "
    "from forks, to jobs that do not declare the secret's environment, or to reusable workflows "
    "called without `secrets: inherit`."
)

RUNNER_FILES = _hint("""runner-files: Run the action as a workflow step, and check that the runner's
    disk is not full.""")
INTERNAL_ERROR = _hint("""internal-error: Run the job again with debug logging, and report the log
    at https://github.com/reoclo/docker-auth/issues.""")

# HTTP statuses: what failed, and how to fix it. `{requires}` stands for the key's permissions,
# `{ids}` for the inputs that the request sent, `{not_found}` for what a 404 means. The standard
# phrases are here because those of the http module depend on Python's version.
_SUMMARIES = {
    401: "The Reoclo API rejected the API key (401 Unauthorized)",
    403: "The API key lacks permission (403 Forbidden)",
    404: "{not_found} (404 Not Found)",
    409: "The server is not available (409 Conflict)",
    422: "The Reoclo API rejected a field of the request (422 Unprocessable Content)",
    429: "Rate limit exceeded for this API key (429 Too Many Requests)",
}
_BY_STATUS = {
    401: _hint("""401: Check that the secret contains the whole automation key (rca_…), that the key
        has not been revoked, and that it belongs to the Reoclo instance at api_url."""),
    403: _hint("""403: In Reoclo, open API Keys > Automation Keys and check that {requires}. If the
        key has an IP allowlist, it must include this runner."""),
    404: _hint("""404: Check {ids} in the Reoclo dashboard, in the tenant of the API key. Also
        check that api_url is the address of the Reoclo API."""),
    409: _hint("""409: Check in the Reoclo dashboard that the server's runner agent is online, then
        run the job again."""),
    422: _hint("""422: Correct the input that the message specifies. Copy UUIDs from the Reoclo
        dashboard."""),
    429: _hint("""429: In Reoclo, open API Keys > Automation Keys and raise the key's rate limit, or
        run fewer jobs at the same time with this key. A longer timeout also helps."""),
}
_PHRASES = {400: "Bad Request", 408: "Request Timeout", 425: "Too Early"}
_PHRASES |= {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
_PHRASES |= {504: "Gateway Timeout"}
BLOCKED = "The request was blocked (403 Forbidden)"
FIREWALL = _hint("""403-firewall: The response did not come from the Reoclo API: a firewall, proxy
    or CDN blocked this runner, and more permissions for the key do not help. If the firewall is
    yours, allow api_url in it. Otherwise send the time and, if there is one, the CF-Ray to Reoclo
    support.""")
_REDIRECT = _hint("redirect: Set api_url to the https address of the Reoclo API itself.")
_CLIENT_ERROR = _hint("""400: Check that api_url is the address of the Reoclo API, and that the
    action is up to date.""")
_SERVER_ERROR = _hint("""5xx: Run the job again in a few minutes. If the error persists, contact
    Reoclo support.""")

# Requests without a response, and responses that are not the API's.
UNREACHABLE = _hint("""unreachable: Check api_url, and that this runner can reach it (firewall,
    proxy, DNS), then run the job again.""")
LOCAL_FAULT = _hint("""unreachable: The runner is out of memory or threads. Run fewer jobs on it at
    the same time.""")
TLS = _hint("""tls: Check that api_url is the https address of the Reoclo API, and that no proxy
    intercepts the connection.""")
PROXY = _hint("""proxy: Set HTTPS_PROXY on the runner to a URL like http://proxy.example.com:3128,
    with username and password if the proxy requires them, or add the API's host to NO_PROXY.""")
MALFORMED_URL = _hint("""proxy: Check api_url, and HTTPS_PROXY on the runner if it is set: in a
    proxy's username and password, write #, / and @ as %23, %2F and %40.""")
UNEXPECTED_RESPONSE = _hint("""unexpected-response: Check that api_url is the address of the Reoclo
    API, and that no proxy or login page responds instead.""")
_WRONG_TIME = _hint("""certificate: Check the runner's clock, or renew the certificate of the Reoclo
    API.""")
_WRONG_NAME = _hint("""certificate: Check the host in api_url: the certificate was issued for a
    different hostname.""")
_UNTRUSTED = _hint("""certificate: Check api_url. If your network or Reoclo instance uses a private
    CA, add its certificate to the runner's trust store, or set SSL_CERT_FILE, REQUESTS_CA_BUNDLE or
    NODE_EXTRA_CA_CERTS to a file that contains it.""")
# Phrases of OpenSSL and of the systems; localized messages match none and get the general hint.
_BY_CERTIFICATE_ERROR = dict.fromkeys(("expired", "not yet valid", "validity period"), _WRONG_TIME)
_BY_CERTIFICATE_ERROR |= dict.fromkeys(("mismatch", "not match"), _WRONG_NAME)

TIMEOUT = _hint("""timeout: Check that the server can reach the registry, and in the Reoclo
    dashboard that its runner agent is online. If logins take this long, set a longer timeout.""")
SERVER_TIMEOUT = _hint("""server-timeout: Check that the server can reach the registry, that Docker
    responds on it, and that its runner agent is online in the Reoclo dashboard.""")
NO_RESULT = _hint("""no-result: Look up the operation in the Reoclo audit log, then run the job
    again.""")

# Output of a `docker login` that failed. The first phrase that matches counts. `{credential}`
# stands for where username, password and registry come from.
_BY_DOCKER_OUTPUT = {
    "cannot connect to the docker daemon": _hint("docker-daemon: Start Docker on the server."),
    "permission denied while trying to connect": _hint("""docker-permission: Add the Reoclo runner
        agent's user to the docker group on the server."""),
    "permission denied": _hint("""docker-config: Allow the Reoclo runner agent's user to write
        Docker's configuration on the server."""),
    "no such host": _hint("""registry-dns: The server cannot resolve the registry's hostname. Check
        the registry address in {credential}, and the server's DNS."""),
    "x509": _hint("""registry-certificate: The server does not trust the registry's certificate. Add
        the registry's CA to Docker on the server."""),
    "toomanyrequests": _hint("""registry-rate-limit: The registry limits the rate of logins. Wait,
        or log in less often."""),
    "unauthorized": _hint("""registry-unauthorized: The registry rejected the username and password.
        Correct them in {credential}."""),
    "denied": _hint("""registry-denied: The registry rejected the username or token. Check in
        {credential} that the token is current and has access to this registry."""),
}
_DOCKER_FAILED = _hint("""docker-failed: Docker's full output is in the log above. Check
    {credential}, and Docker on the server.""")

# What post reports.
LOGOUT_FAILED = "logout-failed"
OUTCOME_UNKNOWN = "outcome-unknown"
LATE_LOGIN = "late-login"
DAMAGED_STATE = "damaged-state"


def logout_command(registry_url: str) -> str:
    """Return the command that logs out of a registry manually, of an unknown one if empty."""
    # Docker stores the login to Docker Hub under another name, which only a logout without an
    # address removes (docker/cli, cli/command/registry/logout.go).
    is_implied = registry_url in {"", "docker.io"}
    return "`docker logout`" if is_implied else f"`docker logout {registry_url}`"


def for_status(status: int, **values: str) -> tuple[str, Hint]:
    """Return summary and hint for an HTTP status; the values are those of the endpoint."""
    if status in _BY_STATUS:
        fix, anchor = _BY_STATUS[status]
        return _SUMMARIES[status].format(**values), Hint(fix.format(**values), anchor)
    phrase = f"{status} {_PHRASES.get(status, '')}".rstrip()
    if 300 <= status < 400:
        summary = (
            f"The Reoclo API redirected the request ({phrase}), and the action does not follow "
            "redirects because that would send the API key to another address"
        )
        return summary, _REDIRECT
    if status >= 500 or status in {408, 425}:
        kind = "server" if status >= 500 else "temporary"
        return f"The Reoclo API returned a {kind} error ({phrase})", _SERVER_ERROR
    return f"The Reoclo API rejected the request ({phrase})", _CLIENT_ERROR


def for_docker_output(output: str, credential: str) -> Hint:
    """Return the hint for the output of a `docker login` that failed with this credential."""
    text, anchor = _first_match(_BY_DOCKER_OUTPUT, output, _DOCKER_FAILED)
    return Hint(text.format(credential=credential), anchor)


def for_certificate_error(message: str) -> Hint:
    """Return the hint for a certificate that is not trusted for this reason."""
    return _first_match(_BY_CERTIFICATE_ERROR, message, _UNTRUSTED)


def _first_match(hints: Mapping[str, Hint], text: str, default: Hint) -> Hint:
    lowered = text.lower()
    return next((hint for phrase, hint in hints.items() if phrase in lowered), default)
