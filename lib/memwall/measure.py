"""The command `python -m memwall.measure`; its room is `memwall.experiments.measure`."""

import sys

from memwall.experiments.measure import *  # noqa: F403  (import memwall.measure still gives what it gave)
from memwall.experiments.measure import main

if __name__ == "__main__":
    sys.exit(main())
