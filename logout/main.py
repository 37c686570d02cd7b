"""The step of the action that only logs out. Started by lib/launcher."""

import os
import signal
import sys

signal.signal(signal.SIGINT, signal.SIG_DFL)  # no traceback from the imports
sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from lib.entry import logout

if __name__ == "__main__":
    sys.exit(logout(os.environ, sys.stdout))
