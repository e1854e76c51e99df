"""Tasks of reasoning-gym with settings for models of a size, ladders that grow harder by one dial,
and the set that ProRL is compared on.

A name here is a task with settings, and nothing else: ``Gym`` makes the problems and grades them.
Ladders change one dial, so what a rung adds is known. No task here has an exploitable scorer,
evaluates a completion, or changes with the hash seed. Two tasks are in no set: ``tower_of_hanoi``
has six problems once its number of disks is fixed, and ``maze`` on a small grid fails now and then.
"""

from collections.abc import Mapping
from typing import Any

from rewardscope.environments.extraction import Place
from rewardscope.environments.words.gym import Gym
from rewardscope.errors import ComponentError

Tier = Mapping[str, Mapping[str, Any]]
"""Task -> its settings."""

TIERS: dict[int, Tier] = {
    1: {
        "basic_arithmetic": {
            "max_terms": 3,
            "max_digits": 1,
            "allow_parentheses": False,
            "allow_negation": False,
        },
        "number_sequence": {
            "min_terms": 4,
            "max_terms": 5,
            "min_value": 0,
            "max_value": 20,
            "max_complexity": 1,
        },
        "simple_equations": {"max_terms": 2, "max_value": 20},
        "spell_backward": {"max_word_len": 5},
        "chain_sum": {"max_terms": 2, "max_digits": 2},
        "products": {"max_digits": 2},
        "lcm": {"max_value": 20},
        "gcd": {"max_value": 100},
        "count_bits": {"max_n": 255},
        "count_primes": {"max_n": 100},
        "fraction_simplification": {"max_value": 20, "max_factor": 9, "styles": ["plain"]},
        "letter_counting": {"max_words": 6},
        "leg_counting": {"max_animals": 3, "max_instances": 5},
        "base_conversion": {"max_base": 4, "max_value": 255},
        "decimal_chain_sum": {"max_terms": 2, "max_digits": 1, "max_decimal_places": 1},
    },
    2: {
        "countdown": {
            "min_numbers": 3,
            "max_numbers": 3,
            "max_value": 20,
            "min_target": 10,
            "max_target": 100,
        },
        "number_sorting": {"max_numbers": 5, "max_decimals": 0},
        "word_sorting": {"max_words": 5, "max_word_length": 6},
        "caesar_cipher": {"max_words": 4, "max_rotation": 5},
        "mini_sudoku": {"min_empty": 4, "max_empty": 8},
        "shortest_path": {"min_rows": 4, "max_rows": 5, "min_cols": 4, "max_cols": 5},
        "path_star": {"degree": 2, "node_range": 100, "min_path_length": 3, "max_path_length": 4},
        "knights_knaves": {"n_people": 2},
        "family_relationships": {},
        "graph_color": {"min_num_vertices": 5, "max_num_vertices": 5, "edge_probability": 0.4},
        "binary_alternation": {"min_n": 6, "max_n": 10},
        "bitwise_arithmetic": {"difficulty": 1},
        "list_functions": {},
    },
    3: {
        "arc_1d": {},
        "dice": {},
        "jugs": {},
        "mini_sudoku": {},
        "countdown": {},
        "graph_color": {},
        "knights_knaves": {"n_people": 4},
        "advanced_geometry": {},
        "course_schedule": {},
    },
}
"""1 = models trained from nothing and the smallest pretrained ones; 2 = 0.1 to 0.5 billion weights;
3 = 1.5 billion and more.
"""

LADDERS: dict[str, tuple[Mapping[str, Any], ...]] = {
    "chain_sum": tuple(
        {"min_terms": n, "max_terms": n, "min_digits": 1, "max_digits": 1} for n in range(2, 9)
    ),
    "products": tuple({"min_digits": n, "max_digits": n} for n in range(1, 6)),
    "spell_backward": tuple({"min_word_len": n, "max_word_len": n} for n in range(3, 11)),
    "countdown": tuple(
        {
            "min_numbers": n,
            "max_numbers": n,
            "max_value": 20,
            "min_target": 10,
            "max_target": 100,
            "shuffle": True,
        }
        for n in range(2, 7)
    ),
    "number_sorting": tuple(
        {"min_numbers": n, "max_numbers": n, "max_decimals": 0} for n in range(3, 11)
    ),
    "graph_color": tuple(
        {"min_num_vertices": n, "max_num_vertices": n, "edge_probability": 0.3}
        for n in (4, 6, 8, 10, 15, 20)
    ),
    "path_star": tuple(
        {"degree": 3, "node_range": 1000, "min_path_length": n, "max_path_length": n}
        for n in range(2, 8)
    ),
    "knights_knaves": tuple({"n_people": n} for n in range(2, 6)),
    "jugs": tuple({"difficulty": n} for n in (2, 4, 6, 8, 10)),
    "caesar_cipher": tuple({"min_words": n, "max_words": n} for n in (3, 5, 8, 12)),
}
"""Task -> settings of each rung, the easiest first; one dial moves."""

PRORL = (
    *("graph_color", "palindrome_generation", "family_relationships", "dice", "arc_1d"),
    *("leg_counting", "power_function", "advanced_geometry", "prime_factorization"),
)
"""Tasks on which ProRL's support before and after was counted (arXiv:2507.14843), in their default
settings. ``boxnet``, one of those called expanded, is not among them: it has no answer text, so its
scorer cannot be proved and ``Gym`` refuses it.
"""


def tier(number: int, answer_in: Place = "tags") -> tuple[Gym, ...]:
    """The tasks for models of a size.

    Raises:
        ComponentError: If there is no such tier.
    """
    if number not in TIERS:
        raise ComponentError(
            "There is no such tier of tasks",
            value=number,
            allowed=", ".join(map(str, TIERS)),
            do="Use one of them",
        )
    return tuple(Gym(task, settings, answer_in) for task, settings in TIERS[number].items())


def ladder(task: str, answer_in: Place = "tags") -> tuple[Gym, ...]:
    """The rungs of a task, the easiest first.

    Raises:
        ComponentError: If the task has no ladder.
    """
    if task not in LADDERS:
        raise ComponentError(
            "This task has no ladder",
            value=repr(task),
            allowed=", ".join(LADDERS),
            do="Use one of them, or set a Gym's config",
        )
    return tuple(Gym(task, settings, answer_in) for settings in LADDERS[task])


def prorl(answer_in: Place = "tags") -> tuple[Gym, ...]:
    """The tasks on which ProRL was compared, in their default settings."""
    return tuple(Gym(task, answer_in=answer_in) for task in PRORL)
