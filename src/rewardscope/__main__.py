"""Runs the command line as ``python -m rewardscope``."""

from rewardscope.cli import main

if __name__ == "__main__":
    main()
