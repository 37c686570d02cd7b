"""The post step: log the server out again when the job ends. Started by lib/launcher."""

import os
import sys

from lib.cancellation import ignore_signals
from lib.entry import post

if __name__ == "__main__":
    ignore_signals()  # the runner's cancellation must not prevent the logout
    sys.exit(post(os.environ, sys.stdout))
