"""How SmolLM2-135M behaves untrained in each environment; writes environments/measured.json, which
`rewardscope worlds` shows.

.venv/bin/python benchmarks/base_behaviour.py            (all environments; about a minute each on
one core, HouseInWords 70) .venv/bin/python benchmarks/base_behaviour.py Sums Gym   (these alone)
"""

import json
import sys

import torch

from rewardscope.catalogue import MEASURED, worlds
from rewardscope.organisms.organism import base_behaviour
from rewardscope.policy.start import Pretrained
from rewardscope.protocols import turn_taker
from rewardscope.registry import components

MODEL, PROBLEMS, DRAWS, MAX_TOKENS = "smollm2-135m-instruct", 32, 4, 96


def main(names: list[str]) -> None:
    torch.set_num_threads(1)
    policy = Pretrained(MODEL).load()
    found = json.loads(MEASURED.read_text())
    in_words = [
        world["name"]
        for world in worlds()
        if world["kind"] == "environment" and not world["organisms"]
    ]
    for name in names or in_words:  # of the organisms' tasks their cards say how they behave
        environment = components("environments")[name]()
        longest = MAX_TOKENS if turn_taker(environment) is None else 8 * MAX_TOKENS
        measured = base_behaviour(policy, environment, PROBLEMS, DRAWS, longest)
        found[name] = {MODEL: measured}
        print(
            f"{name}: pass@1 {measured['pass_at_1']:.3f}, solved within {measured['solved_within']}"
        )
        MEASURED.write_text(json.dumps(found, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
