"""Checkpoints compared: how far the weights went, and whether two trainings changed the same ones.

Any trainer may have made them: each is a folder with safetensors, or an organism's name.

    python examples/two_checkpoints.py formats-planted RUN/.../step_000008 RUN/.../step_000008
"""

import sys

from rewardscope.analyses.checkpoints import compare


def main(before: str, after: list[str]) -> None:
    """Prints a line per training and one per pair of them."""
    record = compare(before, after).record()
    for place, (folder, (whole, *matrices)) in enumerate(record["changes"].items(), 1):
        changed = whole["changed"]["float32"] / whole["size"]
        relative = (whole["moved"] / whole["norm"]) ** 0.5
        say(f"{place}: {folder}")
        say(f"  {changed:.1%} of the weights changed, in {len(matrices)} matrices")
        say(f"  norm of the update / norm of the weights: {relative:.4f}")
    numbers = {folder: place for place, folder in enumerate(after, 1)}
    for pair in record["agreements"]:
        shared = pair["found"]
        say(f"{numbers[pair['first']]} and {numbers[pair['second']]}")
        say(f"  the largest updates stand at the same weights: {shared['top_share']:.1%}")
        say(f"  with weights shuffled: {pair['shuffled']['top_share']:.1%}")


def say(text: str) -> None:
    """Prints a line."""
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
