"""The step of the action that only logs out. Started by lib/launcher."""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from lib.entry import logout

if __name__ == "__main__":
    sys.exit(logout(os.environ, sys.stdout))
