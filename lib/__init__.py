"""The action's own code. `main.py` and `post.py` are its entry points.

Importing this package does two things, because both must come before all else: it hands
an interpreter that is too old back to the launcher, which then tries the next one, and it
puts the vendored libraries first on the path. It stays readable to Python 2.7, which must
be able to get as far as the exit.
"""

import os
import sys

# lib/launcher/launch.cjs knows this exit code by the same name.
TOO_OLD = 86

if sys.version_info < (3, 10):
    sys.exit(TOO_OLD)

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "_vendor"))
