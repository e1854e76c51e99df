"""Tokens a second of sampling and of the update, ours and TRL's with transformers' generation, on
one GPU in bfloat16; then what only a GPU can tell of our own run.

    python benchmarks/gpu.py                              (on a machine with a GPU; some minutes)
    python benchmarks/gpu.py --device cpu tiny            (the same script proved without one: a
    model of toy size)

The second table holds the largest log-ratio before any update, which must be 0, the sampler's gap,
and the peak of memory beside its estimate. Ours has bfloat16 weights with float32 master copies,
TRL's bfloat16 autocast over float32 weights, as each does by default.

Models have the shapes of SmolLM2-135M and Qwen2.5-0.5B and 1.5B and random weights: nothing is
fetched, and hardly a completion ends early. A step is 8 prompts of 64 tokens x 16 completions of
128. Sampling is compared with the bandwidth floor (the weights read once a token) and the update
with the rate of matrix products measured in the same run. Each engine runs in a process of its own.
"""

import argparse
import statistics
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import torch
from machine import Rates, described, measure, shape_of
from processes import leave, taken
from rich.console import Console
from rich.table import Table
from transformers import AutoModelForCausalLM, LlamaConfig, PretrainedConfig, Qwen2Config

STEPS, WARM_UP = 5, 2
CHECKS = ("gap", "log_ratio", "peak", "estimate")
"""What ours tells beside its times."""


@dataclass(frozen=True)
class Setting:
    """A model's shape and a step's size."""

    config: PretrainedConfig
    prompts: int = 8
    group: int = 16
    prompt_tokens: int = 64
    new_tokens: int = 128


def shaped(
    kind: type[PretrainedConfig],
    width: int,
    layers: int,
    heads: int,
    key_heads: int,
    inner: int,
    vocabulary: int,
) -> PretrainedConfig:
    return kind(
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        num_key_value_heads=key_heads,
        intermediate_size=inner,
        vocab_size=vocabulary,
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        bos_token_id=1,
        eos_token_id=2,
        pad_token_id=2,
    )


SETTINGS = {
    "smollm2-135m": Setting(shaped(LlamaConfig, 576, 30, 9, 3, 1536, 49_152)),
    "qwen2.5-0.5b": Setting(shaped(Qwen2Config, 896, 24, 14, 2, 4864, 151_936)),
    "qwen2.5-1.5b": Setting(shaped(Qwen2Config, 1536, 28, 12, 2, 8960, 151_936)),
    "tiny": Setting(
        shaped(LlamaConfig, 64, 2, 4, 2, 128, 512),
        prompts=2,
        group=4,
        prompt_tokens=16,
        new_tokens=8,
    ),
}


def model_of(setting: Setting, device: str) -> Any:
    """Random weights in float32."""
    return AutoModelForCausalLM.from_config(setting.config, dtype=torch.float32).to(device).eval()


def words(vocabulary: int) -> Any:
    """A tokenizer with a word for every token."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import PreTrainedTokenizerFast

    inner = Tokenizer(models.WordLevel({f"w{n}": n for n in range(vocabulary)}, unk_token="w0"))
    inner.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(
        tokenizer_object=inner, eos_token="w2", pad_token="w2", bos_token="w1", padding_side="left"
    )


def asked(setting: Setting) -> list[str]:
    """A prompt of words each."""
    return [
        " ".join(f"w{3 + (p * 31 + t * 7) % 400}" for t in range(setting.prompt_tokens))
        for p in range(setting.prompts)
    ]


def wait(device: str) -> float:
    """The time, when all that was asked of the device is done."""
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter()


def ours(setting: Setting, device: str) -> dict[str, list[float]]:
    """Seconds of sampling and of the update, and tokens sampled, of each step; beside them the
    largest log-ratio before the first update, the sampler's gap (nats), and bytes of memory.
    """
    from rewardscope import Arm, Coin, GroupMean, Learner, Precision, Pretrained, Sums
    from rewardscope.learner.passes import pass_tokens
    from rewardscope.policy import Policy, Sampling, pack, sample
    from rewardscope.seeds import generator
    from rewardscope.tensors import Signals
    from rewardscope.training.estimate import estimate
    from rewardscope.types import Grade, Problem, Rollout

    # bfloat16 on a CPU too: the branch that a GPU takes
    policy = Policy(model_of(setting, device), words(setting.config.vocab_size))
    policy = policy.cast(Precision("bfloat16")).with_masters()
    learner = Learner(learning_rate=1e-6, minibatches=2)
    optimizer, prompts = learner.optimizer(policy), asked(setting)
    found: dict[str, list[float]] = {name: [] for name in ("sampling", "update", "tokens", *CHECKS)}
    for step in range(STEPS):
        began = wait(device)
        groups = sample(
            policy,
            prompts,
            setting.group,
            Sampling(setting.new_tokens),
            [("gpu", step, p) for p in range(setting.prompts)],
        )
        sampled = wait(device)
        grade = Grade(correct=None, strict=None, well_formed=True)
        rollouts = [
            Rollout(Problem(str(p), "words", prompt, "", 0), step, group, (grade,) * setting.group)
            for p, (prompt, group) in enumerate(zip(prompts, groups, strict=True))
        ]
        batch = pack(policy, rollouts, 1.0)
        reward_PG = torch.from_numpy(
            generator("gpu", step).integers(0, 2, (setting.prompts, setting.group))
        ).float()
        signals = Signals(
            reward_PG,
            batch.mask_NT,
            batch.sampler_logprob_NT,
            token_NT=batch.token_NT,
            address=("gpu", step),
        )
        address = ("gpu", step)
        notes = learner.update(
            policy, optimizer, batch, GroupMean()(signals), None, setting.new_tokens, address
        )
        found["sampling"].append(sampled - began)
        found["update"].append(wait(device) - sampled)
        found["gap"].append(notes["sampler/gap_nats"])
        if step == STEPS - 1:
            found["log_ratio"].append(largest_log_ratio(policy, learner, batch, address))
        found["tokens"].append(sum(c.length for group in groups for c in group))
    if device == "cuda":
        found["peak"].append(torch.cuda.max_memory_allocated())
    start = Pretrained("random")
    arm = Arm("gpu", start, Sums(), Coin(), learner=learner, sampling=Sampling(setting.new_tokens))
    with torch.device("meta"):
        empty = AutoModelForCausalLM.from_config(setting.config, dtype=torch.bfloat16)
    rows = setting.prompts * setting.group
    tokens = min(pass_tokens(policy), rows // 2 * (setting.prompt_tokens + setting.new_tokens))
    found["estimate"].append(estimate(arm, empty, tokens=tokens, rows=rows).peak)
    return found


def largest_log_ratio(policy: Any, learner: Any, batch: Any, address: Any) -> float:
    """Nats: how far a token's logprob in the updates' own passes, with gradients, is from the old
    one, which was read without; 0 if the kernels are the same.
    """
    from rewardscope.policy.packing import arrange, choose_layout
    from rewardscope.policy.scoring import on_mask, score_rows

    old_NT, largest = learner.score(policy, batch, address), 0.0
    for chosen in learner.parts(batch.num_problems, address, 0):
        part, rows_N = batch.problems(chosen), batch.rows(chosen)
        old_nT = old_NT[rows_N, : part.token_NT.shape[1]]
        layout = choose_layout(policy, part)
        for rows in arrange(part, layout, learner.most_tokens(policy), policy.device):
            now_M = score_rows(policy, rows, part)[0].detach().cpu()
            largest = max(largest, float((now_M - old_nT[on_mask(part, rows)]).abs().max()))
    return largest


def trl(setting: Setting, device: str) -> dict[str, list[float]]:
    """The same of TRL: what ``generate`` takes is sampling, the rest of the step the update."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import GRPOConfig, GRPOTrainer

    found: dict[str, list[float]] = {"sampling": [], "update": [], "tokens": []}
    model, began = model_of(setting, device), [0.0]
    inner = model.generate

    def timed(*args: Any, **kwargs: Any) -> Any:
        start = wait(device)
        output = inner(*args, **kwargs)
        found["sampling"].append(wait(device) - start)
        return output

    model.generate = timed

    class Clock(TrainerCallback):
        def on_step_begin(self, *args: Any, **kwargs: Any) -> None:
            began[0] = wait(device)

        def on_step_end(self, *args: Any, **kwargs: Any) -> None:
            found["update"].append(wait(device) - began[0] - found["sampling"][-1])

    def reward(completion_ids: list[list[int]], **kwargs: Any) -> list[float]:
        found["tokens"].append(sum(map(len, completion_ids)))
        return [float(n % 2) for n in range(len(completion_ids))]

    with tempfile.TemporaryDirectory() as folder:
        GRPOTrainer(
            model=model,
            processing_class=words(setting.config.vocab_size),
            reward_funcs=reward,
            train_dataset=Dataset.from_list([{"prompt": text} for text in asked(setting)]),
            args=GRPOConfig(
                output_dir=folder,
                per_device_train_batch_size=setting.prompts * setting.group,
                num_generations=setting.group,
                max_completion_length=setting.new_tokens,
                max_steps=STEPS,
                learning_rate=1e-6,
                temperature=1.0,
                beta=0.0,
                bf16=device == "cuda",
                use_cpu=device == "cpu",
                save_strategy="no",
                report_to="none",
                disable_tqdm=True,
            ),
            callbacks=[Clock()],
        ).train()
    return found


ENGINES = {"rewardscope": ours, "trl": trl}


def rate(found: dict[str, list[float]], part: str) -> float:
    """Tokens a second, the median of the steps after the warm-up."""
    return statistics.median(
        t / s for t, s in list(zip(found["tokens"], found[part], strict=True))[WARM_UP:]
    )


def row(
    name: str,
    setting: Setting,
    rates: Rates,
    found: dict[str, dict[str, list[float]]],
    bytes_per_weight: int,
) -> list[str]:
    """One model's line: rates, ratios, and shares of the floors."""
    with torch.device("meta"):
        shape = shape_of(AutoModelForCausalLM.from_config(setting.config), bytes_per_weight)
    rows = setting.prompts * setting.group
    mine, theirs = (
        {part: rate(found[engine], part) for part in ("sampling", "update")} for engine in ENGINES
    )
    read_s = (shape.body + shape.head) * bytes_per_weight / rates.read_bytes_per_s
    scored = rows * setting.new_tokens
    needed = 6 * (
        shape.body * (setting.prompts * setting.prompt_tokens + scored) + shape.head * scored
    )
    return [
        name,
        f"{theirs['sampling']:,.0f}",
        f"{mine['sampling']:,.0f}",
        f"{mine['sampling'] / theirs['sampling']:.2f}",
        f"{read_s * mine['sampling'] / rows:.0%}",
        f"{theirs['update']:,.0f}",
        f"{mine['update']:,.0f}",
        f"{mine['update'] / theirs['update']:.2f}",
        f"{needed / scored * mine['update'] / rates.products_per_s:.0%}",
    ]


def main() -> None:
    """Runs both engines on every shape and prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shapes", nargs="*", default=[name for name in SETTINGS if name != "tiny"])
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--engine", choices=ENGINES)
    options = parser.parse_args()
    if options.device == "cuda" and not torch.cuda.is_available():
        raise SystemExit(
            "There is no GPU here. Prove the script without one: python benchmarks/gpu.py --device "
            "cpu tiny"
        )
    if options.engine:
        leave(ENGINES[options.engine](SETTINGS[options.shapes[0]], options.device))
        return
    console = Console(highlight=False, width=150)
    bfloat = options.device == "cuda"
    rates = measure(options.device, torch.bfloat16)
    sampling = "trl: sampled tokens/s", "ours", "times", "of the bandwidth floor"
    update = "trl: updated tokens/s", "ours", "times", "of the products' rate"
    table = Table("model", *sampling, *update)
    checks = Table("model", "largest log-ratio on-policy", "gap, nats", "peak GiB", "estimate GiB")
    for name in options.shapes:
        found = {
            engine: taken(__file__, name, "--device", options.device, "--engine", engine)
            for engine in ENGINES
        }
        table.add_row(*row(name, SETTINGS[name], rates, found, 2))
        mine = found["rewardscope"]
        peak = f"{mine['peak'][0] / 2**30:.2f}" if mine["peak"] else "unknown"
        checks.add_row(
            name,
            f"{mine['log_ratio'][0]:.1e}",
            f"{statistics.median(mine['gap']):.1e}",
            peak,
            f"{mine['estimate'][0] / 2**30:.2f}",
        )
    console.print(table)
    console.print(checks)
    where = torch.cuda.get_device_name() if bfloat else described()
    console.print(
        f"{where}; bfloat16; products "
        f"{rates.products_per_s / 1e12:.2f} T/s, "
        f"memory {rates.read_bytes_per_s / 1e9:.0f} GB/s; torch {version('torch')}, trl "
        f"{version('trl')}"
    )


if __name__ == "__main__":
    main()
