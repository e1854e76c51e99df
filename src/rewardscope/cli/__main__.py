"""python -m rewardscope.cli"""

from rewardscope.cli import main

if __name__ == "__main__":
    main()
