from pathlib import Path

import jaxtyping
import pytest
import torch

from factories import sampled_batch, tiny_policy
from rewardscope import Teacher
from rewardscope.errors import ComponentError
from rewardscope.policy import Policy, Sampling, score
from rewardscope.seeds import generator
from rewardscope.tensors import Batch


def moved(policy: Policy, scale: float = 0.05) -> Policy:
    other = policy.clone()
    with torch.no_grad():
        for name, parameter in other.model.named_parameters():
            parameter.add_(
                torch.from_numpy(
                    generator("teacher", name).normal(0, scale, tuple(parameter.shape))
                )
            )
    return other


@pytest.fixture(scope="module")
def batch() -> Batch:
    return sampled_batch(tiny_policy(), ("1+2?", "3*4-5?"), 3, Sampling(max_tokens=6))


def test_it_reads_each_completion_behind_its_own_prompt(batch: Batch) -> None:
    policy = tiny_policy()
    prompts = [policy.encode(text) for text in ("1?", "22?", "3+3?", "4?", "5-5-5?")]
    said = (
        Teacher("frozen")
        .begin(moved(policy))
        .teach(policy, batch, [*prompts[:2], None, *prompts[2:]], "sampled")
    )
    assert said.evidence_N.tolist() == [True, True, False, True, True, True]
    assert (said.logprob_NTK[2] == 0).all()
    for n, prompt in zip((0, 1, 3, 4, 5), prompts, strict=True):
        alone = score(moved(policy), batch.behind([prompt], [n])).logprob_NT[0]
        torch.testing.assert_close(said.logprob_NTK[n, :, 0], alone, atol=1e-5, rtol=1e-4)


def test_the_policy_chooses_what_is_kept_and_the_teacher_speaks_of_that(batch: Batch) -> None:
    policy, other = tiny_policy(), moved(tiny_policy(), 0.5)
    prompts = [batch.prompt_ids[n // 3] for n in range(6)]
    whole = Teacher("frozen").begin(policy).teach(policy, batch, prompts, "all").logprob_NTK
    top = Teacher("frozen").begin(other).teach(policy, batch, prompts, 3)
    assert top.kept_NTK is not None and top.kept_NTK.shape[2] == 3
    likeliest = whole.gather(2, top.kept_NTK)
    assert (likeliest.amin(-1)[batch.mask_NT] >= whole.topk(4).values[..., 3][batch.mask_NT]).all()
    teacher = Teacher("frozen").begin(other).teach(policy, batch, prompts, "all").logprob_NTK
    torch.testing.assert_close(
        top.logprob_NTK[batch.mask_NT], teacher.gather(2, top.kept_NTK)[batch.mask_NT]
    )


def test_a_trust_region_lies_between_its_ends(batch: Batch) -> None:
    policy, start = moved(tiny_policy()), tiny_policy()
    prompts = [batch.prompt_ids[n // 3] for n in range(6)]

    def said(kind: str, rate: float = 0.05) -> torch.Tensor:
        return (
            Teacher(kind, rate)
            .begin(start)
            .teach(policy, batch, prompts, "all")
            .logprob_NTK[batch.mask_NT]
        )  # type: ignore[arg-type]

    torch.testing.assert_close(said("trust_region", 0.0), said("frozen"), atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(said("trust_region", 1.0), said("live"), atol=1e-5, rtol=1e-4)
    expected = torch.log_softmax(0.7 * said("frozen") + 0.3 * said("live"), dim=-1)
    torch.testing.assert_close(said("trust_region", 0.3), expected, atol=1e-5, rtol=1e-4)


def test_an_average_follows_and_survives_being_saved(tmp_path: Path) -> None:
    state, policy = Teacher("average", 0.25).begin(tiny_policy()), moved(tiny_policy())
    state.follow(policy)
    assert state.own is not None
    for mine, start, theirs in zip(
        state.own.model.parameters(),
        tiny_policy().model.parameters(),
        policy.model.parameters(),
        strict=True,
    ):
        torch.testing.assert_close(mine, 0.75 * start + 0.25 * theirs)
    state.save(tmp_path)
    again = Teacher("average", 0.25).begin(tiny_policy())
    again.load(tmp_path)
    assert again.own is not None
    for one, other in zip(state.own.model.parameters(), again.own.model.parameters(), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("kind", ["live", "frozen", "trust_region"])
def test_the_others_stay_and_leave_nothing_on_disk(kind: str, tmp_path: Path) -> None:
    state = Teacher(kind).begin(tiny_policy())  # type: ignore[arg-type]
    state.follow(moved(tiny_policy()))
    state.save(tmp_path)
    assert list(tmp_path.iterdir()) == []
    if state.own is not None:
        for one, other in zip(
            state.own.model.parameters(), tiny_policy().model.parameters(), strict=True
        ):
            assert torch.equal(one, other)


@pytest.mark.parametrize(("kind", "rate"), [("dead", 0.1), ("average", -0.1), ("average", 1.1)])
def test_an_impossible_teacher_is_refused(
    kind: str, rate: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    with pytest.raises(ComponentError, match="Teacher has settings outside"):
        Teacher(kind, rate)  # type: ignore[arg-type]


def test_whole_distributions_that_cannot_fit_are_refused_before_they_are_made() -> None:
    from rewardscope.learner.teacher import _check_room

    _check_room(8, 16, 22)
    with pytest.raises(ComponentError, match="297 GiB"):  # 512 x 1024 tokens of Qwen2.5
        _check_room(512, 1024, 151_936)
