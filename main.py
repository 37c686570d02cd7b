"""The main step: log the server in to the registry. Started by lib/launcher."""

import os
import sys

from lib.entry import main

if __name__ == "__main__":
    sys.exit(main(os.environ, sys.stdout))
