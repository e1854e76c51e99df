"""A plausible small run directory, written through the store's own writers: two starts, truth and
coin, three seeds.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from rewardscope.codec import encode
from rewardscope.seeds import generator
from rewardscope.stats import mean_over_problems
from rewardscope.store import (
    RunDirectory,
    measuring_signature,
    read_json,
    write_json,
    write_measurements,
    write_table,
)
from rewardscope.types import Claim, Measurement, Outcome, Verdict

STARTS = ("formats-planted", "formats-barren")
ARMS = {
    "planted-truth": ("formats-planted", False),
    "planted-coin": ("formats-planted", True),
    "barren-truth": ("formats-barren", False),
    "barren-coin": ("formats-barren", True),
}
NUM_STEPS = 30
NUM_PROBLEMS = 48
KS = (1, 2, 4, 8, 16, 32, 64)
STRATEGIES = ("stepwise", "talk", "guess")
KINDS = (
    "self_attn.q_proj",
    "self_attn.k_proj",
    "self_attn.v_proj",
    "self_attn.o_proj",
    "mlp.gate_proj",
    "mlp.up_proj",
    "mlp.down_proj",
    "input_layernorm",
    "post_attention_layernorm",
)
MATRICES = (
    "model.embed_tokens.weight",
    *(f"model.layers.{layer}.{kind}.weight" for layer in range(3) for kind in KINDS),
    "model.norm.weight",
)
HOSTILE = (
    "<script>document.documentElement.dataset.planted='ran'</script>",
    "</script><img src=x onerror=\"document.documentElement.dataset.planted='ran'\">",
    "{{ 7*7 }} {% raw %}",
    "\u202egnp.exe\u202c \x00\x1b[31m \u200b",
    "\"'><b onclick=alert(1)>",
)
LONG = "9" * 10_000


def claims() -> tuple[Claim, ...]:
    pass_at_1 = {"metric": "boundary/pass_at_k", "labels": {"k": "1"}}
    return (
        Claim(
            sentence="True rewards raise held-out pass@1 of the planted start more than coin-flip "
            "rewards do.",
            treatment="planted-truth",
            control="planted-coin",
            expects="greater",
            margin=0.02,
            **pass_at_1,
        ),
        Claim(
            sentence="Coin-flip rewards leave pass@1 of the planted start where it was.",
            treatment="planted-coin",
            control="base",
            expects="same",
            margin=0.05,
            **pass_at_1,
        ),
        Claim(
            sentence="True rewards raise pass@1 of the barren start more than coin-flip rewards "
            "do.",
            treatment="barren-truth",
            control="barren-coin",
            expects="greater",
            margin=0.02,
            **pass_at_1,
        ),
        Claim(
            sentence="True rewards move the planted start to the stepwise format.",
            metric="behaviour/strategy_share",
            labels={"strategy": "stepwise"},
            treatment="planted-truth",
            control="planted-coin",
            expects="greater",
            margin=0.05,
        ),
        Claim(
            sentence="True rewards do not shorten completions of the barren start by more than one "
            "token.",
            metric="behaviour/length_tokens",
            treatment="barren-truth",
            control="barren-coin",
            expects="same",
            margin=1.0,
        ),
    )


def verdicts() -> tuple[Verdict, ...]:
    """One of each outcome, in the order of the claims."""
    first, second, third, fourth, fifth = claims()
    how = "bootstrap over 3 seeds x 48 problems, small-sample stretch 1.66"
    evidence = (
        "cells/planted-truth--s0--0a1b2c3d4e5f/measurements.parquet",
        "cells/planted-coin--s0--0a1b2c3d4e5f/measurements.parquet",
    )

    def verdict(
        claim: Claim,
        outcome: Outcome,
        estimate: float | None,
        lower: float | None,
        upper: float | None,
        **more: Any,
    ) -> Verdict:
        given = {
            "unit": "share",
            "interval": how,
            "num_seeds": 3,
            "num_problems": NUM_PROBLEMS,
            "evidence": evidence,
            **more,
        }
        return Verdict(
            claim=claim, outcome=outcome, estimate=estimate, lower=lower, upper=upper, **given
        )

    return (
        verdict(
            first,
            Outcome.SUPPORTED,
            0.352,
            0.241,
            0.468,
            treatment_mean=0.861,
            control_mean=0.509,
            smallest_visible=0.182,
            reason="the whole interval lies above +0.02",
        ),
        verdict(
            second,
            Outcome.REFUTED,
            -0.117,
            -0.176,
            -0.061,
            treatment_mean=0.447,
            control_mean=0.564,
            smallest_visible=0.132,
            reason="the whole interval lies outside -0.05 to +0.05",
        ),
        verdict(
            third,
            Outcome.UNDECIDED,
            0.013,
            -0.041,
            0.071,
            treatment_mean=0.241,
            control_mean=0.228,
            smallest_visible=0.1,
            reason="the interval holds +0.02",
        ),
        verdict(
            fourth,
            Outcome.SUPPORTED,
            0.471,
            0.318,
            0.61,
            treatment_mean=0.988,
            control_mean=0.517,
            smallest_visible=0.258,
            reason="the whole interval lies above +0.05",
        ),
        verdict(
            fifth,
            Outcome.NOT_RUN,
            None,
            None,
            None,
            unit="tokens",
            interval="",
            num_seeds=0,
            num_problems=0,
            evidence=(),
            treatment_mean=None,
            control_mean=None,
            smallest_visible=None,
            reason="cell barren-coin--s2 failed: out of memory",
        ),
    )


def cell_name(arm: str, seed: int) -> str:
    return f"{arm}--s{seed}--0a1b2c3d4e5f"


def base_cell_name(start: str) -> str:
    return f"base-{start}--0a1b2c3d4e5f"


def write_study(root: Path, **changes: Any) -> None:
    arms = [
        {
            "name": arm,
            "start": start,
            "placebo": placebo,
            "base": f"base:{start}",
            "base_cell": base_cell_name(start),
            "cells": {str(seed): cell_name(arm, seed) for seed in range(3)},
            "uses_truth": {"reward": not placebo, "credit": False},
            "config": {
                "is": "Arm",
                "name": arm,
                "start": {"is": "Organism", "name": start},
                "reward": {"is": "Coin", "p": 0.5} if placebo else {"is": "Truth"},
                "credit": {"is": "GroupMean", "divide_by_std": False},
                "learner": {
                    "is": "Learner",
                    "learning_rate": 3e-4,
                    "clip_low": 0.2,
                    "clip_high": 0.28,
                },
            },
        }
        for arm, (start, placebo) in ARMS.items()
    ]
    study = {
        "name": "tour",
        "question": "What does training with true rewards change in a tiny model, "
        "and what do coin-flip rewards change?",
        "about": "Two organisms: one that knows a reliable format among others, one that never saw "
        "it.",
        "command": "rewardscope tour",
        "signature": "9f8e7d6c5b4a",
        "version": "0.1.0",
        "commit": "f288eac0d1b2",
        "dirty": True,
        "packages": {"torch": "2.13.0+cpu", "transformers": "5.23.0", "polars": "2.1.0"},
        "hardware": {"cpu": "2 cores", "memory": "23 GiB", "device": "cpu"},
        "seeds": [0, 1, 2],
        "steps": NUM_STEPS,
        "starts": list(STARTS),
        "arms": arms,
        "claims": [encode(claim) for claim in claims()],
        "seconds": None,
        "evaluation": {"draws": 64},
        "probes": [],
    }
    write_json(root / "study.json", {**study, **changes})


def _shares(arm: str, progress: float) -> dict[str, float]:
    start = np.array([0.55, 0.35, 0.10] if "planted" in arm else [0.0, 0.78, 0.22])
    goal = {
        "planted-truth": [0.995, 0.004, 0.001],
        "planted-coin": [0.5, 0.3, 0.2],
        "barren-truth": [0.0, 0.9, 0.1],
    }.get(arm, [0, 0.7, 0.3])
    mixed = start + (np.array(goal) - start) * progress
    return dict(zip(STRATEGIES, mixed / mixed.sum(), strict=True))


def _accuracy(arm: str, shares: dict[str, float]) -> float:
    return 0.89 * shares["stepwise"] + 0.21 * shares["talk"] + 0.15 * shares["guess"]


def step_rows(arm: str, seed: int, steps: int = NUM_STEPS) -> list[dict[str, Any]]:
    random = generator("report-run", arm, seed)
    rows = []
    for step in range(1, steps + 1):
        shares = _shares(arm, 1 - np.exp(-step / (9 + 2 * seed)))
        correct = _accuracy(arm, shares) + random.normal(0, 0.025)
        rows.append(
            {
                "step": step,
                "reward_mean": 0.5 + random.normal(0, 0.02) if "coin" in arm else correct,
                "correct_share": correct,
                "strict_share": correct - 0.01,
                "well_formed_share": 0.97,
                "length_mean_tokens": 14.0 + random.normal(0, 0.3),
                "end_token_share": 0.99,
                "entropy_mean_nats": 0.4,
                "loss": random.normal(0, 0.01),
                "clip_share": None,
                "gradient_norm": 0.3,
                "informative_group_share": 0.8,
                "seconds": 0.9,
                **{
                    f"strategy/{name}": float(np.clip(share + random.normal(0, 0.02), 0, 1))
                    for name, share in shares.items()
                },
            }
        )
    return rows


def _row(
    arm: str,
    seed: int | None,
    metric: str,
    value: float | None,
    unit: str = "share",
    over: str = "problems",
    **more: Any,
) -> Measurement:
    given = {"n": NUM_PROBLEMS, "step": 0 if seed is None else NUM_STEPS, **more}
    return Measurement(
        study="tour",
        arm=arm,
        seed=seed,
        probe=metric.split("/")[0],
        metric=metric,
        unit=unit,
        value=value,
        over=over,
        **given,
    )


def measurement_rows(arm: str, seed: int | None) -> Iterator[Measurement]:
    """What the three instruments write for one cell; seed None = the untrained policy."""
    kind = arm.removeprefix("base:formats-") + "-base" if seed is None else arm
    random = generator("report-measure", kind, seed or 0)
    shares = _shares(kind, 0.0 if seed is None else 0.97)
    chance_P = np.clip(random.beta(2, 2, NUM_PROBLEMS) * 2 * _accuracy(kind, shares), 0.002, 0.998)
    for metric, factor in (("boundary/pass_at_k", 1.0), ("boundary/pass_at_k_strict", 0.97)):
        for k in KS:
            value_P = 1 - (1 - chance_P * factor) ** k
            estimate = mean_over_problems(value_P.tolist(), address=f"{arm}{k}")
            how = {"lower": estimate.lower, "upper": estimate.upper, "interval": estimate.interval}
            yield _row(arm, seed, metric, estimate.value, labels={"k": str(k)}, **how)
            for index, value in enumerate(value_P):
                yield _row(
                    arm,
                    seed,
                    metric,
                    float(value),
                    labels={"k": str(k), "problem": f"p{index}"},
                    n=64,
                    over="draws",
                )
    for strategy, share in shares.items():
        yield _row(
            arm,
            seed,
            "behaviour/strategy_share",
            share,
            labels={"strategy": strategy},
            lower=share - 0.02,
            upper=share + 0.02,
        )
        accuracy = None if share == 0 else {"stepwise": 0.89, "talk": 0.21, "guess": 0.15}[strategy]
        yield _row(
            arm, seed, "behaviour/strategy_accuracy", accuracy, labels={"strategy": strategy}
        )
    yield _row(arm, seed, "behaviour/length_tokens", 14.2, unit="tokens")
    yield _row(arm, seed, "behaviour/ending_share", 0.99, labels={"ending": "end_token"})
    yield _row(arm, seed, "behaviour/ending_share", 0.01, labels={"ending": "length"})
    if seed is None:
        return
    yield from _against_base(arm, seed)
    counts = random.multinomial(
        NUM_PROBLEMS, [0.7, 0.05, 0.12, 0.13] if "truth" in arm else [0.66, 0.16, 0.05, 0.13]
    )
    for name, count in zip(
        ("preserved", "shrunk", "expanded", "out_of_reach"), counts, strict=True
    ):
        yield _row(
            arm,
            seed,
            "boundary/problems",
            float(count),
            unit="problems",
            labels={"class": name, "k": "64"},
        )
    for view, share in (("float32", 0.999), ("bfloat16", 0.31), ("tolerance_1e-5", 0.84)):
        yield _row(
            arm,
            seed,
            "weights/changed_share",
            share,
            labels={"view": view, "matrix": "all"},
            over="weights",
        )
    yield _row(
        arm,
        seed,
        "weights/update_norm",
        0.52,
        unit="weight units",
        labels={"matrix": "all"},
        over="weights",
    )
    yield _row(
        arm,
        seed,
        "weights/relative_update_norm",
        0.011,
        unit="share of norm",
        labels={"matrix": "all"},
        over="weights",
    )
    for matrix in MATRICES:
        size = abs(random.normal(0.012 if "truth" in arm else 0.009, 0.004)) * (
            0.1 if "norm" in matrix else 1
        )
        yield _row(
            arm,
            seed,
            "weights/relative_update_norm",
            size,
            unit="share of norm",
            labels={"matrix": matrix},
            over="weights",
        )


def _against_base(arm: str, seed: int) -> Iterator[Measurement]:
    """Moves and nulls: a truth arm pays stepwise (barren: talk) most and its gain is carried by one
    move; a coin pays all alike.
    """
    truth, best = "truth" in arm, "stepwise" if "planted" in arm else "talk"
    paid = (
        {"stepwise": 0.89, "talk": 0.21, "guess": 0.15} if truth else dict.fromkeys(STRATEGIES, 0.5)
    )
    for name, reward in paid.items():
        known = reward if "planted" in arm or name != "stepwise" else None
        yield _row(
            arm,
            seed,
            "behaviour/strategy_reward",
            known,
            unit="reward",
            over="completions",
            labels={"strategy": name},
        )
    yield _row(
        arm,
        seed,
        "behaviour/reweighting",
        6.5 if truth else None,
        unit="per reward",
        labels={"strategy": best} if truth else {},
    )
    gain = 0.3 + 0.01 * seed if truth else 0.02 * (seed - 1)
    yield _row(arm, seed, "behaviour/gain", gain, unit="share difference")
    for before in STRATEGIES:
        for after in STRATEGIES:
            labels = {"by": "strategy", "before": before, "after": after}
            share = 0.3 if (before, after) == ("talk", best) else 0.7 / 8
            yield _row(arm, seed, "behaviour/move_share", share, labels=labels)
            gain = (1.1 if (before, after) == ("talk", best) else -0.0125) if truth else None
            yield _row(arm, seed, "behaviour/move_gain", gain, unit="ratio", labels=labels)
            added = 0.31 * gain if gain is not None else 0.001
            yield _row(
                arm,
                seed,
                "behaviour/move_change",
                added,
                unit="share difference",
                labels=labels,
            )
    for name in ("boxed", "backtracking"):
        yield _row(
            arm,
            seed,
            "behaviour/shown_share",
            0.0 if name == "boxed" else 0.2,
            labels={"behaviour": name},
        )


def reading_rows(arm: str, seed: int, hostile: bool = False) -> list[dict[str, Any]]:
    random = generator("report-readings", arm, seed)
    prompts = {
        "3+4*2?": ("s3+4=7,7*2=4:4", "t4>7,2>5:5", "4"),
        "9-5*3?": ("s9-5=4,4*3=2:2", "g:1", "2"),
        "2*8+6?": ("t8>6,6>2:2", "s2*8=6,6+6=2:2", "2"),
    }
    rows: list[dict[str, Any]] = []
    for number, (prompt, (good, bad, answer)) in enumerate(prompts.items()):
        for source in ("base", "trained"):
            texts: list[list[str]] = [list(good), list(bad) if source == "base" else list(good)]
            if hostile and number == 0:
                texts += [["s", text, ":4"] for text in HOSTILE] + [[LONG]]
            for index, tokens in enumerate(texts):
                text = "".join(tokens)
                for position, token in enumerate([*tokens, "<eos>"]):
                    before = float(-abs(random.normal(0.7, 0.7)))
                    after = float(
                        min(
                            -0.001,
                            before + random.normal(0.4 if source == "trained" else -0.5, 0.7),
                        )
                    )
                    rows.append(
                        {
                            "problem": f"p{number}",
                            "prompt": prompt,
                            "key": answer,
                            "source": source,
                            "index": index,
                            "position": position,
                            "token": token,
                            "base_logprob": before,
                            "trained_logprob": after,
                            "correct": None if "<" in text else text.endswith(answer),
                            "strategy": {"s": "stepwise", "t": "talk", "g": "guess"}.get(text[:1]),
                            "ending": "end_token",
                        }
                    )
    return rows


def measuring(root: Path) -> str:
    return measuring_signature(read_json(root / "study.json"))


def write_cell(root: Path, arm: str, seed: int, *, hostile: bool = False) -> None:
    cell = RunDirectory(root).cell(cell_name(arm, seed))
    cell.write_status("done", NUM_STEPS, measured=measuring(root))
    cell.write_steps(step_rows(arm, seed))
    write_measurements(cell.measurements, list(measurement_rows(arm, seed)))
    rows = reading_rows(arm, seed, hostile)
    write_table(cell.step_file("readings", NUM_STEPS), pl.DataFrame(rows, infer_schema_length=None))


def write_run(root: Path, *, hostile: bool = True) -> Path:
    """A finished run with a verdict of every outcome; hostile = completions that try to break out
    of the page.
    """
    write_study(root)
    for start in STARTS:
        cell = RunDirectory(root).cell(base_cell_name(start))
        cell.write_status("done", 0, measured=measuring(root))
        write_measurements(cell.measurements, list(measurement_rows(f"base:{start}", None)))
    for arm in ARMS:
        for seed in range(3):
            write_cell(root, arm, seed, hostile=hostile and arm == "planted-truth" and seed == 0)
    RunDirectory(root).write_verdicts(verdicts())
    return root
