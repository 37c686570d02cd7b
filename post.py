"""The post step: log the server out again when the job ends. Started by lib/launcher."""

import os
import sys

from lib.entry import post

if __name__ == "__main__":
    sys.exit(post(os.environ, sys.stdout))
