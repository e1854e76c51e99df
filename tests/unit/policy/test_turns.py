from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from factories import FAMILIES, tiny_policy
from rewardscope.errors import ComponentError, ModelError
from rewardscope.policy import (
    Policy,
    Sampling,
    gram_mask,
    pack,
    packing,
    sample,
    sampler,
    score,
    written,
)
from rewardscope.policy.packing import arrange
from rewardscope.policy.turns import one_line, transcript
from rewardscope.seeds import Address
from rewardscope.tensors import Batch
from rewardscope.types import Completion, Ending, Grade, Problem, Replies, Rollout

PROMPTS = ["1+2?", "3*4-5?", "0-9*8+7-6?"]
ADDRESSES: list[tuple[Address, ...]] = [("turns", prompt) for prompt in PROMPTS]
SAMPLING = Sampling(max_tokens=32, turn_tokens=4)


def answer(place: int, turns: Sequence[str]) -> str | None:
    """Between one and three tokens, a function of the prompt and what was said; over once a turn
    holds a 7.
    """
    return None if "7" in turns[-1] else "=>:"[: 1 + (place + len("".join(turns))) % 3]


TALKING = Replies(answer, 6)


def talked(
    policy: Policy, group_size: int = 4, sampling: Sampling = SAMPLING, replies: Replies = TALKING
) -> list[tuple[Completion, ...]]:
    return sample(policy, PROMPTS, group_size, sampling, ADDRESSES, replies)


def as_batch(
    policy: Policy, groups: Sequence[tuple[Completion, ...]], temperature: float = 1.0
) -> Batch:
    nothing = Grade(None, None, False)
    problems = [
        Problem(f"{index:016x}", "Chain", prompt, "0") for index, prompt in enumerate(PROMPTS)
    ]
    rollouts = [
        Rollout(p, 0, group, (nothing,) * len(group))
        for p, group in zip(problems, groups, strict=True)
    ]
    return pack(policy, rollouts, temperature)


def all_of(groups: Sequence[tuple[Completion, ...]]) -> list[Completion]:
    return [completion for group in groups for completion in group]


def rebuilt(
    policy: Policy, place: int, completion: Completion, replies: Replies = TALKING
) -> list[int]:
    """The tokens that the turns and their answers make, cut to the same length."""
    assert completion.turns is not None
    ids: list[int] = []
    own = iter([completion.token_ids[p] for p in completion.places])
    for count, turn in enumerate(completion.turns, 1):
        said: list[int] = []
        for token in own:
            said.append(token)
            if token in policy.end_ids or len(said) == 4:
                break
        assert one_line(policy.decode(tuple(said))) == turn
        ids += said
        if (
            count < replies.max_turns
            and (heard := replies.to(place, completion.turns[:count])) is not None
        ):
            ids += policy.tokenizer(heard)["input_ids"]
    return ids[: len(completion.token_ids)]


def test_turns_and_answers_follow_each_other_and_say_who_chose_what() -> None:
    policy = tiny_policy()
    groups = talked(policy, 8)
    endings = set()
    for place, group in enumerate(groups):
        for completion in group:
            assert completion.chosen is not None and completion.turns is not None
            assert len(completion.chosen) == len(completion.token_ids) == len(completion.logprobs)
            assert list(completion.token_ids) == rebuilt(policy, place, completion)
            assert all(
                lp == 0.0
                for lp, own in zip(completion.logprobs, completion.chosen, strict=True)
                if not own
            )
            assert all(
                lp < 0.0
                for lp, own in zip(completion.logprobs, completion.chosen, strict=True)
                if own
            )
            assert completion.said == "\n".join(completion.turns)
            assert (
                completion.length == sum(completion.chosen) < len(completion.token_ids) <= 32
                or len(completion.turns) == 1
            )
            endings.add(completion.ending)
    assert endings == {Ending.OVER, Ending.TURNS, Ending.LENGTH} or endings == {
        Ending.OVER,
        Ending.TURNS,
    }


def test_the_turn_limit_and_the_environment_end_an_episode_and_say_so() -> None:
    policy = tiny_policy()
    for completion in all_of(talked(policy, 8, replies=Replies(lambda place, turns: "=", 3))):
        assert completion.turns is not None
        assert (completion.ending, len(completion.turns)) == (Ending.TURNS, 3)
        assert completion.chosen is not None and completion.chosen[-1]
    for completion in all_of(talked(policy, 8, replies=Replies(lambda place, turns: None, 3))):
        assert completion.turns is not None
        assert (completion.ending, len(completion.turns), completion.chosen) == (
            Ending.OVER,
            1,
            (True,) * len(completion.token_ids),
        )


def test_a_completion_that_reaches_the_limit_in_a_turn_or_in_an_answer_keeps_what_there_is() -> (
    None
):
    policy = tiny_policy()
    forever = Replies(lambda place, turns: "===", 100)
    ends_in = set()
    for max_tokens in (5, 7, 10, 11):
        for completion in all_of(
            talked(policy, 6, Sampling(max_tokens=max_tokens, turn_tokens=4), forever)
        ):
            assert (completion.ending, len(completion.token_ids)) == (Ending.LENGTH, max_tokens)
            assert completion.chosen is not None and completion.turns is not None
            assert list(completion.token_ids) == rebuilt(policy, 0, completion, forever)
            ends_in.add(completion.chosen[-1])
    assert ends_in == {True, False}


def greedy(policy: Policy, place: int, group: Completion) -> list[tuple[int, bool]]:
    """The likeliest token again and again, through the whole model and without a cache, with the
    answers in between.
    """
    prompt, ids, chosen, turns, turn = list(policy.encode(PROMPTS[place])), [], [], [], []  # type: ignore[var-annotated]
    while len(ids) < 20:
        with torch.no_grad():
            turn.append(
                int(policy.model(input_ids=torch.tensor([prompt + ids])).logits[0, -1].argmax())
            )
        ids.append(turn[-1])
        chosen.append(True)
        if turn[-1] in policy.end_ids or len(turn) == 4:
            turns.append(policy.decode(tuple(turn)))
            turn = []
            heard = None if len(turns) == TALKING.max_turns else answer(place, turns)
            if heard is None:
                break
            said = policy.tokenizer(heard)["input_ids"]
            ids += said
            chosen += [False] * len(said)
    return list(zip(ids, chosen, strict=True))[:20]


@pytest.mark.parametrize("family", FAMILIES)
def test_temperature_zero_with_a_cache_is_the_likeliest_token_without_one(family: str) -> None:
    policy = tiny_policy(family)
    for place, group in enumerate(
        talked(policy, 2, Sampling(max_tokens=20, turn_tokens=4, temperature=0.0))
    ):
        for completion in group:
            assert completion.chosen is not None
            assert list(zip(completion.token_ids, completion.chosen, strict=True)) == greedy(
                policy, place, completion
            )


def test_an_episode_does_not_depend_on_the_rows_it_was_batched_with(
    planted: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    together = talked(planted, 5)
    alone = [
        sample(
            planted,
            [prompt],
            5,
            SAMPLING,
            [address],
            Replies(lambda _, turns, at=place: answer(at, turns), 6),
        )[0]  # type: ignore[misc]
        for place, (prompt, address) in enumerate(zip(PROMPTS, ADDRESSES, strict=True))
    ]
    monkeypatch.setattr(sampler, "_cache_bytes", lambda policy: 1)
    one_by_one = talked(planted, 5)
    monkeypatch.setattr(sampler, "DROP_AT", 0.0)
    monkeypatch.setattr(sampler, "_cache_bytes", lambda policy: 1 << 29)
    for other in (alone, one_by_one, talked(planted, 5)):
        for mine, theirs in zip(all_of(together), all_of(other), strict=True):
            assert (mine.token_ids, mine.chosen, mine.turns, mine.ending) == (
                theirs.token_ids,
                theirs.chosen,
                theirs.turns,
                theirs.ending,
            )
            assert mine.logprobs == pytest.approx(theirs.logprobs, abs=5e-5)
    assert [[c.turns for c in group[:2]] for group in together] == [
        [c.turns for c in group] for group in talked(planted, 2)
    ]


def test_the_policys_words_depend_on_what_it_was_told() -> None:
    policy = tiny_policy()
    one = all_of(talked(policy, 4, replies=Replies(lambda place, turns: "===", 6)))
    other = all_of(talked(policy, 4, replies=Replies(lambda place, turns: ">>>", 6)))
    assert [c.turns[:1] for c in one if c.turns] == [c.turns[:1] for c in other if c.turns]
    assert [c.turns for c in one] != [c.turns for c in other]


def by_hand(
    policy: Policy, groups: Sequence[tuple[Completion, ...]], batch: Batch
) -> tuple[Tensor, Tensor]:
    """One completion at a time through the whole model, answers included."""
    logprob_NT, entropy_NT = torch.zeros(batch.token_NT.shape), torch.zeros(batch.token_NT.shape)
    for n, completion in enumerate(all_of(groups)):
        prompt = list(batch.prompt_ids[n // batch.group_size])
        with torch.no_grad():
            logits = policy.model(
                input_ids=torch.tensor([prompt + list(completion.token_ids)])
            ).logits[0, len(prompt) - 1 : -1]
        spread = torch.distributions.Categorical(logits=logits / batch.temperature)
        own = torch.tensor(completion.places)
        logprob_NT[n, : len(own)] = spread.log_prob(torch.tensor(completion.token_ids))[own]
        entropy_NT[n, : len(own)] = spread.entropy()[own]
    return logprob_NT, entropy_NT


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_scores_episodes_the_same_packed_plain_and_by_hand(family: str) -> None:
    policy = tiny_policy(family)
    groups = talked(policy, 3, replace(SAMPLING, temperature=0.7))
    batch = as_batch(policy, groups, 0.7)
    logprob_NT, entropy_NT = by_hand(policy, groups, batch)
    for layout in ("packed", "plain"):
        scores = score(policy, batch, layout)
        torch.testing.assert_close(scores.logprob_NT, logprob_NT, atol=1e-4, rtol=0.0)
        torch.testing.assert_close(scores.entropy_NT, entropy_NT, atol=1e-4, rtol=0.0)
    torch.testing.assert_close(batch.sampler_logprob_NT, logprob_NT, atol=1e-4, rtol=0.0)


def test_a_batch_has_a_cell_for_every_chosen_token_and_for_no_other() -> None:
    policy = tiny_policy()
    groups = talked(policy, 5)
    batch, every = as_batch(policy, groups), all_of(groups)
    assert batch.mask_NT.sum(dim=1).tolist() == [c.length for c in every]
    assert batch.token_NT[batch.mask_NT].tolist() == [
        c.token_ids[p] for c in every for p in c.places
    ]
    assert batch.read_N == [list(c.token_ids) for c in every]
    assert batch.places_N == [list(c.places) for c in every]
    assert batch.length_N.tolist() == [c.places[-1] + 1 for c in every]


def test_parts_of_a_batch_keep_their_answers(planted: Policy) -> None:
    groups = talked(planted, 3)
    batch = as_batch(planted, groups)
    whole = score(planted, batch, "plain").logprob_NT
    part = batch.problems([2, 0])
    found = score(planted, part, "packed").logprob_NT
    rows = [6, 7, 8, 0, 1, 2]
    torch.testing.assert_close(found, whole[rows, : found.shape[1]], atol=1e-4, rtol=0.0)
    behind = batch.behind([batch.prompt_ids[2], batch.prompt_ids[0]], [7, 1])
    torch.testing.assert_close(
        score(planted, behind).logprob_NT, whole[[7, 1]], atol=1e-4, rtol=0.0
    )


@pytest.mark.parametrize("row_tokens", [1, 50])
def test_splitting_a_packed_row_of_episodes_changes_no_result(
    planted: Policy, monkeypatch: pytest.MonkeyPatch, row_tokens: int
) -> None:
    batch = as_batch(planted, talked(planted))
    whole = score(planted, batch, "packed").logprob_NT
    monkeypatch.setattr(packing, "ROW_TOKENS", row_tokens)
    torch.testing.assert_close(
        score(planted, batch, "packed").logprob_NT, whole, atol=1e-5, rtol=0.0
    )


def test_a_packed_row_with_answers_by_hand() -> None:
    """Prompt of 3; completion 1 chose 1 and 4 around an answer 5 6, completion 2 chose 2 and was
    cut off in its answer 7.
    """
    batch = Batch(
        prompt_ids=((7, 8, 9),),
        token_NT=torch.tensor([[1, 4], [2, 0]]),
        mask_NT=torch.tensor([[True, True], [True, False]]),
        sampler_logprob_NT=torch.zeros(2, 2),
        group_size=2,
        temperature=1.0,
        read_ids=((1, 5, 6, 4), (2, 7)),
        place_NT=torch.tensor([[0, 3], [0, 0]]),
    )
    (rows,) = arrange(batch, "packed", 100, torch.device("cpu"))
    assert rows.input_RS.tolist() == [
        [7, 8, 9, 1, 5, 6]
    ]  # of the second completion nothing predicts a chosen token
    assert rows.position_RS.tolist() == [[0, 1, 2, 3, 4, 5]]
    assert rows.column_M.tolist() == [2, 5, 2]


def test_a_gram_is_found_in_what_the_policy_said_and_not_in_what_it_was_told() -> None:
    policy = tiny_policy()
    ids = tuple(policy.tokenizer("st+=st-g")["input_ids"])
    chosen = (True, True, True, False, False, False, True, True)
    completion = Completion("", ids, (0.0,) * 8, Ending.OVER, chosen, ("st+", "-g"))
    batch = as_batch(policy, [(completion,)] * 3)
    assert gram_mask(policy, batch, ["st"])[0].tolist() == [True, True, False, False, False]
    assert gram_mask(policy, batch, ["=st-"])[0].tolist() == [
        False,
        False,
        False,
        True,
        False,
    ]  # one that ends in its own words


def test_what_somebody_else_said_becomes_a_completion_with_the_answers_in_it() -> None:
    policy = tiny_policy()
    found = written(policy, "1+\n2\n37\nnever", 1, TALKING, 40)
    assert found.turns == ("1+", "2", "37") and found.ending is Ending.OVER
    end = 0
    ids = policy.tokenizer
    heard = [str(answer(1, found.turns[:count])) for count in (1, 2)]
    expected = [
        *ids("1+")["input_ids"],
        end,
        *ids(heard[0])["input_ids"],
        *ids("2")["input_ids"],
        end,
        *ids(heard[1])["input_ids"],
    ]
    assert list(found.token_ids) == [*expected, *ids("37")["input_ids"], end]
    assert found.length == 3 + 2 + 3
    assert found.text == f"1+\n{heard[0]}\n2\n{heard[1]}\n37"
    cut = written(policy, "1+\n2\n37\nnever", 1, TALKING, 5)
    assert (cut.token_ids, cut.ending, cut.chosen) == (
        found.token_ids[:5],
        Ending.LENGTH,
        (found.chosen or ())[:5],
    )
    for most in range(1, len(found.token_ids)):
        cut = written(policy, "1+\n2\n37\nnever", 1, TALKING, most)
        assert (cut.token_ids, cut.ending, cut.chosen) == (
            found.token_ids[:most],
            Ending.LENGTH,
            (found.chosen or ())[:most],
        )
        said = sum(c and t != end for t, c in zip(cut.token_ids, cut.chosen or (), strict=True))
        assert "".join(cut.turns or ()) == "1+237"[:said], "what its tokens say, and no more"
    assert written(policy, "1+2", 0, None, 2) == Completion(
        "1+", tuple(ids("1+")["input_ids"]), (0.0,) * 2, Ending.LENGTH
    )
    assert written(policy, "1+2", 0, None, 40) == Completion(
        "1+2", (*ids("1+2")["input_ids"], 0), (0.0,) * 4, Ending.END_TOKEN
    )


def test_answers_go_to_tokens_and_back(planted: Policy) -> None:
    for text in ("=>:", "1", "+-*stg"):
        assert planted.decode(planted.encode_reply(text, ended=True)) == text
    assert planted.encode_reply("", ended=True) == ()


def test_an_answer_that_the_tokenizer_cannot_write_is_refused(planted: Policy) -> None:
    with pytest.raises(ModelError, match="cannot write what the environment says"):
        planted.encode_reply("hello", ended=True)


TEMPLATE = (
    "{% for message in messages %}{{ '[' + message['role'] + ']' + message['content'] }}"
    "{% if message['role'] == 'assistant' %}{{ '<end>' }}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}{{ '[assistant]' }}{% endif %}"
)


def test_a_chat_template_frames_the_answer_and_gives_the_word_back() -> None:
    policy = tiny_policy()
    alphabet = "".join(sorted(set("[]userassistantlook at")))
    vocabulary = {letter: place for place, letter in enumerate(alphabet, 1)} | {"<end>": 0}
    framed: dict[str, Any] = {}

    class Letters:
        chat_template, eos_token_id = TEMPLATE, 0

        def apply_chat_template(self, messages: list[dict[str, str]], **_: Any) -> str:
            from jinja2 import Template

            return str(Template(TEMPLATE).render(messages=messages, add_generation_prompt=True))

        def __call__(self, text: str, add_special_tokens: bool) -> dict[str, list[int]]:
            framed["text"], parts = text, text.split("<end>")
            ids = [vocabulary[letter] for letter in parts[0]]
            for part in parts[1:]:
                ids += [0, *(vocabulary[letter] for letter in part)]
            return {"input_ids": ids}

        def decode(self, ids: Sequence[int], **_: Any) -> str:
            return "".join(alphabet[i - 1] for i in ids)

    chatting = Policy(policy.model, Letters())  # type: ignore[arg-type]
    own_end = chatting.encode_reply("\nlook at us\n", ended=True)
    assert framed["text"] == "<end>[user]look at us[assistant]"
    assert chatting.decode(own_end) == "[user]look at us[assistant]"
    assert chatting.encode_reply("\nlook at us\n", ended=False) == (0, *own_end)


def test_a_turn_is_one_line_and_a_transcript_has_one_line_each() -> None:
    assert one_line(" go\n2\n") == "go 2"
    assert transcript(["g2", "tb"], ["\n2b.\n"]) == "g2\n2b.\ntb"


def test_a_stop_text_ends_a_turn(planted: Policy) -> None:
    sampling = Sampling(max_tokens=30, temperature=0.0, stop=("=",))
    ((completion,),) = sample(
        planted,
        ["3+4*2-9?"],
        1,
        sampling,
        [()],
        Replies(lambda _, turns: "7" if len(turns) == 1 else None, 5),
    )
    assert completion.turns == (
        "s3+4=",
        ",7*2=",
    )  # the second begins anew: the first one's stop text ends nothing again
    assert completion.text == "s3+4=\n7\n,7*2="


@pytest.mark.parametrize("wrong", [0, -1])
def test_turns_without_tokens_are_refused(wrong: int) -> None:
    with pytest.raises(ComponentError, match="turn_tokens"):
        Sampling(turn_tokens=wrong)
