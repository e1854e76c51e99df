import math

import pytest
import torch

from factories import tiny_policy
from rewardscope.errors import ComponentError
from rewardscope.probes.token_credit import ErrorAuroc, error_auroc, first_error_tokens
from rewardscope.seeds import generator
from rewardscope.types import Completion, Ending, Grade, Problem, Rollout

N, T = 400, 12


def planted() -> tuple[torch.Tensor, torch.Tensor]:
    """Where the errors are and which tokens there are: lengths from 3 to 12, every fourth
    completion without an error.
    """
    random = generator("token credit")
    length_N = torch.from_numpy(random.integers(3, T + 1, N))
    error_N = torch.from_numpy((random.random(N) * length_N.numpy()).astype(int))
    error_N[::4] = -1
    return error_N, torch.arange(T) < length_N[:, None]


def noise() -> torch.Tensor:
    return torch.from_numpy(generator("token credit", "noise").normal(size=(N, T)))


def test_a_row_by_hand() -> None:
    credit = torch.tensor(
        [[0.5, -1.0, 0.2, -1.0, 9.0], [0.5, 0.1, 0.2, 0.3, 9.0], [1.0, 0.0, 0.0, 0.0, 0.0]]
    )
    mask = torch.tensor(
        [
            [True, True, True, True, False],
            [True, True, True, True, False],
            [True, False, False, False, False],
        ]
    )
    found = error_auroc(credit, torch.tensor([1, 3, 0]), mask)
    each = found.each_N
    assert each[0] == pytest.approx(
        (1 + 1 + 0.5) / 3
    )  # above, above, tied; the token off the mask does not count
    assert each[1] == pytest.approx(1 / 3)
    assert each[2].isnan(), "nothing to compare with"
    assert found.mean == pytest.approx((2.5 / 3 + 1 / 3) / 2)


def test_perfect_credit_is_one_and_credit_upside_down_is_zero() -> None:
    error_N, mask_NT = planted()
    perfect = noise() - 100.0 * torch.nn.functional.one_hot(error_N.clamp(min=0), T)
    assert error_auroc(perfect, error_N, mask_NT).mean == 1.0
    assert error_auroc(-perfect, error_N, mask_NT).mean == 0.0


def test_credit_without_knowledge_is_a_half() -> None:
    error_N, mask_NT = planted()
    assert error_auroc(noise(), error_N, mask_NT).mean == pytest.approx(0.5, abs=0.05)
    assert error_auroc(torch.ones(N, T), error_N, mask_NT).mean == 0.5
    whole = torch.from_numpy(generator("whole").normal(size=(N, 1))).expand(N, T)
    assert error_auroc(whole, error_N, mask_NT).mean == 0.5, (
        "how good the completion is says nothing of where"
    )
    assert error_auroc(
        torch.arange(T).expand(N, T).double(), error_N, mask_NT
    ).mean == pytest.approx(0.5, abs=0.05)


def test_completions_without_an_error_say_nothing() -> None:
    error_N, mask_NT = planted()
    assert (error_auroc(noise(), error_N, mask_NT).each_N.isnan() == (error_N < 0)).all()
    assert error_auroc(noise(), torch.full((N,), -1), mask_NT).mean is None
    assert ErrorAuroc(torch.full((8,), math.nan)).over_problems(4, "none") is None


def test_the_interval_is_over_problems() -> None:
    found = ErrorAuroc(torch.tensor([0.0, 1.0, math.nan, math.nan, 1.0, math.nan])).over_problems(
        2, "some"
    )
    assert found is not None and found.value == pytest.approx(0.75)


def test_an_error_off_the_mask_is_refused() -> None:
    with pytest.raises(ComponentError, match="not compared"):
        error_auroc(torch.zeros(1, 2), torch.tensor([1]), torch.tensor([[True, False]]))


def test_an_offset_becomes_the_token_that_holds_it() -> None:
    policy = tiny_policy()
    ids = policy.encode_completion("s3+4=8:8")
    one = Completion("s3+4=8:8", ids, (-1.0,) * len(ids), Ending.END_TOKEN)
    group = Rollout(
        Problem("0", "Chain", "3+4?", "7"), 0, (one, one, one), (Grade(False, False, True),) * 3
    )
    found = first_error_tokens(policy, [group], [[5, None, 40]])
    assert found.tolist() == [5, -1, -1]
    assert policy.decode(ids[5:6]) == "8"
