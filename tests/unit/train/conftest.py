"""A toy job that tests, and the processes that they start, can import."""

import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))
