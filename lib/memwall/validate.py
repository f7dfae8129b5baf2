"""The command `python -m memwall.validate`; its room is `memwall.experiments.validate`."""

import sys

from memwall.experiments.validate import *  # noqa: F403  (import memwall.validate still gives what it gave)
from memwall.experiments.validate import main

if __name__ == "__main__":
    sys.exit(main())
