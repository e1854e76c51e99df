import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # report_run.py, shared with tests/browser
