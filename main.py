"""The main step: log the server in to the registry. Started by lib/launcher."""

import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback from the imports

from lib.entry import main

if __name__ == "__main__":
    sys.exit(main(os.environ, sys.stdout))
