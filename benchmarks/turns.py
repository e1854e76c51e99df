"""Episodes of the house a second: keys and values kept over all turns, against reading prompt and
transcript anew for each turn.

.venv/bin/python benchmarks/turns.py
"""

import time

import torch

from rewardscope.environments.house.compact import House
from rewardscope.organisms.organism import Organism
from rewardscope.organisms.recipe import END
from rewardscope.policy import Policy, Sampling, sample
from rewardscope.protocols import replies
from rewardscope.types import Problem

PROBLEMS, DRAWS, MAX_TOKENS = 32, 16, 120


def kept(policy: Policy, problems: list[Problem]) -> int:
    """Tokens chosen, in episodes as an arm samples them."""
    addresses = [("turns", problem.id) for problem in problems]
    prompts, answers = [problem.prompt for problem in problems], replies(House(), problems)
    groups = sample(
        policy, prompts, DRAWS, Sampling(max_tokens=MAX_TOKENS, turn_tokens=4), addresses, answers
    )
    return sum(completion.length for group in groups for completion in group)


def read_anew(policy: Policy, problems: list[Problem]) -> int:
    """The same, one call a turn with the transcript so far as its prompt."""
    house = House()
    going = [(problem, problem.prompt, ()) for problem in problems for _ in range(DRAWS)]
    chosen = 0
    for turn in range(house.max_turns):
        addresses = [
            ("turns", problem.id, turn, place) for place, (problem, _, _) in enumerate(going)
        ]
        groups = sample(
            policy, [text for _, text, _ in going], 1, Sampling(max_tokens=4), addresses
        )
        left = []
        for (problem, text, turns), (completion,) in zip(going, groups, strict=True):
            chosen += len(completion.token_ids)
            said = (*turns, completion.text)
            answer = house.reply(problem, said)
            if answer is not None:
                left.append((problem, f"{text}{completion.text}{END}{answer}", said))
        if not left:
            break
        going = left
    return chosen


def main() -> None:
    torch.set_num_threads(1)
    policy = Organism("house").load()
    problems = [House().problem("heldout", index) for index in range(PROBLEMS)]
    for name, way in (("kept", kept), ("read anew", read_anew)) * 3:
        began, used = time.monotonic(), time.process_time()
        chosen = way(policy, problems)
        seconds, cpu = time.monotonic() - began, time.process_time() - used
        episodes = PROBLEMS * DRAWS
        print(
            f"{name}: {episodes / cpu:.0f} episodes a CPU second, {episodes / seconds:.0f} a "
            f"second, {chosen / episodes:.1f} tokens each"
        )
    texts = [(problem, House().oracle(problem)) for problem in problems] * 32
    used = time.process_time()
    for problem, text in texts:
        House().grade(problem, text)
    print(f"grading: {len(texts) / (time.process_time() - used):.0f} episodes a CPU second")


if __name__ == "__main__":
    main()
