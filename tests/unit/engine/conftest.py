"""Toy tasks that workers can import, and a Ray that stays on loopback."""

import os
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).parent))  # a worker is given this list, and finds toys.py by it
os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # read when ray is imported
os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
