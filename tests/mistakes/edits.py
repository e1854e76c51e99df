"""What a stranger gets wrong: an edit of ``right.py`` each, and what they are told."""

from dataclasses import dataclass

CLASS = "class Additions:"
REWARD = "class Marked:"
PROBLEM = "def problem(self, split, index):"
GRADE = "def grade(self, problem, text):"
CALL = "def __call__(self, view, address):"
RETURN_PROBLEM = "return Problem(id=id, environment=self.name, prompt=prompt, answer=answer)"
RETURN_GRADE = (
    'return Grade(correct=right, strict=right, well_formed="####" in text, answer=answer)'
)
RETURN = "return Rewards(values)"
FROZEN_ENVIRONMENT = "@dataclass(frozen=True)\nclass Additions:"
FROZEN_REWARD = "@dataclass(frozen=True)\nclass Marked:"
ORACLE = '    def oracle(self, problem):\n        return f"#### {problem.answer}"\n\n'
NAME = '    name: ClassVar[str] = "Additions"\n'
STRATEGIES = "    strategies: ClassVar[tuple[str, ...]] = ()\n"
FLAGS = "    uses_truth: ClassVar[bool] = False\n    placebo: ClassVar[bool] = False\n"
LABELS = '            labels={"k": "1"},\n'


@dataclass(frozen=True)
class Mistake:
    """An edit, the line that the message names, and what it says."""

    name: str
    old: str
    new: str
    at: str
    """Text of the line that is named."""
    says: tuple[str, ...]
    """Of what was wrong, and, last, the line to write instead."""


MISTAKES = (
    # members and flags
    Mistake("no oracle", ORACLE, "", "@dataclass", (
        "Additions is no Environment: it lacks oracle",
        "`def oracle(self, problem): return problem.answer`",
    )),
    Mistake("no name", NAME, "", "@dataclass", (
        "it lacks name", '`name: ClassVar[str] = "Additions"`',
    )),
    Mistake("no grade", GRADE, "def mark(self, problem, text):", "@dataclass", (
        "it lacks grade", "`def grade(self, problem, text): return Grade(...)`",
    )),
    Mistake("a reward without its flags", FLAGS, "", "@dataclass", (
        "Marked is no Reward: it lacks uses_truth and placebo",
        "`uses_truth: ClassVar[bool] = False`; `placebo: ClassVar[bool] = False`",
    )),
    Mistake("a flag that is a text", "uses_truth: ClassVar[bool] = False",
        'uses_truth: ClassVar[str] = "no"', "@dataclass", (
        "Marked.uses_truth has a value that is not allowed", "`uses_truth: ClassVar[bool] = False`",
    )),
    Mistake("a name of ours", 'name: ClassVar[str] = "Additions"',
        'name: ClassVar[str] = "Sums"', "@dataclass", (
        "name = 'Sums'", "a name that no environment of this package has",
        '`name: ClassVar[str] = "MyAdditions"`',
    )),
    Mistake("strategies in a list", "ClassVar[tuple[str, ...]] = ()",
        'ClassVar[list[str]] = ["carry"]', "@dataclass", (
        "Additions.strategies has a value that is not allowed", "strategies = ('carry',)",
    )),
    Mistake("strategies in a list without ClassVar", "strategies: ClassVar[tuple[str, ...]] = ()",
        "strategies: list = []", "@dataclass", ("mutable default <class 'list'>", "strategies",)),
    # functions and arguments
    Mistake("a TRL reward function", "study = Study(",
        "def brief(completions, answer, **rest):\n    return [1.0] * len(completions)\n\n\n"
        'arm("trl", brief)\nstudy = Study(',
        "def brief", ("was given a plain function as its reward", "reward=RewardFunction(brief)")),
    Mistake("a class instead of an instance", 'arm("mine", Marked())', 'arm("mine", Marked)',
        "return Arm(", ("reward=Marked, a class", "Write reward=Marked()")),
    Mistake("problem with other arguments", PROBLEM, "def problem(self, index):", "def problem", (
        "Additions.problem() does not accept the arguments", "`def problem(self, split, index):",
    )),
    Mistake("grade with other arguments", GRADE, "def grade(self, text, problem, extra):",
        "def grade", ("does not accept the arguments", "`def grade(self, problem, text):")),
    Mistake("a reward with TRL's arguments", CALL, "def __call__(self, prompts, view, address):",
        "def __call__", ("does not accept the arguments", "`def __call__(self, view, address):")),
    Mistake("an async grade", GRADE, "async def grade(self, problem, text):", "def grade", (
        "Additions.grade() is async", "`def grade(self, problem, text): return Grade(...)`",
    )),
    Mistake("a reward that yields", RETURN, "yield from values", "def __call__", (
        "Marked.__call__() is a generator", "`def __call__(self, view, address):",
    )),
    # classes and fields
    Mistake("a plain class", FROZEN_ENVIRONMENT, CLASS, "class Additions", (
        "Additions is not a frozen dataclass", "a plain class", "`@dataclass(frozen=True)`",
    )),
    Mistake("an environment that is not frozen", FROZEN_ENVIRONMENT, f"@dataclass\n{CLASS}",
        "@dataclass", ("a dataclass that is not frozen", "`@dataclass(frozen=True)`")),
    Mistake("a reward that is not frozen", FROZEN_REWARD, f"@dataclass\n{REWARD}", "@dataclass", (
        "Marked is not a frozen dataclass", "above `class Marked`",
    )),
    Mistake("a list field", "environment=Additions(),",
        "environment=replace(Additions(), rows=ROWS[:3]),", "@dataclass", (
        "in its field 'rows'", "of type list", "rows=tuple(...)",
    )),
    Mistake("a path field", STRATEGIES, STRATEGIES + "    path: Path = HERE\n", "@dataclass", (
        "in its field 'path'", "path=str(...)",
    )),
    Mistake("a lambda field", FLAGS, FLAGS + "    score: object = lambda text: 1.0\n",
        "@dataclass", ("in its field 'score'", "with def at the top of the module")),
    Mistake("an array field", FLAGS,
        FLAGS + "    weights: object = field(\n        "
        "default_factory=lambda: __import__('numpy').ones(2)\n    )\n",
        "@dataclass", ("in its field 'weights'", "weights=tuple(array.tolist())")),
    Mistake("a dict field", FLAGS,
        FLAGS + "    weights: dict = field(default_factory=lambda: {'a': 1.0})\n",
        "@dataclass", ("in its field 'weights'", "weights=tuple(sorted(mapping.items()))")),
    # problems
    Mistake("an answer that is None", RETURN_PROBLEM,
        RETURN_PROBLEM.replace("answer=answer", "answer=None"), "def problem", (
        "whose answer is not what it has to be", "answer=None", "leave out rows that have none",
    )),
    Mistake("an answer that is a number", RETURN_PROBLEM,
        RETURN_PROBLEM.replace("answer=answer", "answer=int(answer)"), "def problem", (
        "of type int", "Write answer=str(...)",
    )),
    Mistake("chat messages as a prompt", RETURN_PROBLEM,
        RETURN_PROBLEM.replace("prompt=prompt", 'prompt=[{"role": "user", "content": prompt}]'),
        "def problem", ("chat template", 'prompt=messages[-1]["content"]')),
    Mistake("a level that is a text", RETURN_PROBLEM,
        RETURN_PROBLEM.replace("answer=answer", 'answer=answer, level="hard"'), "def problem", (
        "level='hard'", "a whole number",
    )),
    Mistake("facts that are numbers", RETURN_PROBLEM,
        RETURN_PROBLEM.replace("answer=answer", 'answer=answer, facts={"terms": 2}'),
        "def problem", ("facts={'terms': 2}", "a mapping of texts to texts")),
    Mistake("a row instead of a problem", RETURN_PROBLEM, "return row", "def problem", (
        "must return a Problem", "of type dict", "`return Problem(id=content_id(",
    )),
    Mistake("no ids", "id = content_id(self.name, prompt)", 'id = ""', "def problem", (
        "id=''", "Write id=content_id(self.name, prompt)",
    )),
    Mistake("one id for all", "id = content_id(self.name, prompt)", 'id = "row"', "def problem", (
        "gives two problems the same id", "Write id=content_id(self.name, prompt)",
    )),
    Mistake("ids that are drawn", "id = content_id(self.name, prompt)",
        "id = __import__('uuid').uuid4().hex", "def problem", (
        "gives another problem for the same index", "content_id(self.name, prompt)",
    )),
    Mistake("problems that are drawn", "row = rows[index % len(rows)]",
        "row = __import__('random').choice(rows)", "def problem", (
        "gives another problem for the same index", "`generator(split, index)`",
    )),
    Mistake("an index beyond the rows", "rows[index % len(rows)]", "rows[:5][index]",
        "rows[:5][index]", ("problem() raises an error", "rows[index % len(rows)]")),
    Mistake("no held-out split", ', split="test"', "", "rows[index % len(rows)]", (
        "has no split 'heldout', which the evaluation reads", "it has train, test",
        'Evaluation(split="test")',
    )),
    Mistake("no training split", 'else "train"', 'else "learn"', "rows[index % len(rows)]", (
        "has no split 'train', which training reads", "it has test",
        "Give problem() a split 'train'",
    )),
    Mistake("train equal to held-out", 'if row["split"] == split', "", "def problem", (
        "Held-out problems are training problems too", "8 of 8", "such as '0+0?'",
        "Evaluation(..., seen_in_training=True)",
    )),
    Mistake("held-out rows among the training ones", 'if row["split"] == split',
        'if row["split"] == split or split == "train" and row["answer"] == "4"', "def problem", (
        "Held-out problems are training problems too", "3 of 8",
        "Keep the rows of each split apart in problem()",
    )),
    Mistake("too few problems", "problems=8", "problems=300", "def problem", (
        "too few different problems in split 'test'", "36 found, 300 needed", "Ask for fewer",
    )),
    # grades
    Mistake("grade gives a boolean", RETURN_GRADE, "return right", "def grade", (
        "Additions.grade() must return a Grade", "of type bool", "`return Grade(correct=right",
    )),
    Mistake("grade raises on junk", "right = answer == problem.answer",
        "right = int(answer) == int(problem.answer)", "right = int(answer)", (
        "Additions.grade() raises an error", "ValueError: invalid literal for int()",
        "Return Grade(correct=False, strict=False, well_formed=False)",
    )),
    Mistake("grade raises on some junk", "right = answer == problem.answer",
        'right = answer == problem.answer\n        assert "(" not in text', "assert", (
        "Additions.grade() raises an error", "AssertionError",
        "Return Grade(correct=False, strict=False, well_formed=False)",
    )),
    Mistake("fields of a grade by position", RETURN_GRADE, "return Grade(right, answer, True)",
        "def grade", ("whose strict is not what it has to be", "strict=bool(...)")),
    Mistake("a grade of numpy", "right = answer == problem.answer",
        'right = __import__("numpy").bool_(answer == problem.answer)', "def grade", (
        "whose correct is not what it has to be", "correct=bool(...)",
    )),
    Mistake("a grade that changes", "right = answer == problem.answer",
        "right = __import__('random').random() > 0.5\n        "
        "answer = __import__('uuid').uuid4().hex", "def grade", (
        "grades the same completion in two ways", "out of grade()",
    )),
    Mistake("an oracle that is wrong", 'return f"#### {problem.answer}"', 'return "#### x"',
        "def grade", ("does not accept its own oracle", "its grade(), its oracle()")),
    Mistake("an oracle that is a number", 'return f"#### {problem.answer}"',
        "return int(problem.answer)", "def oracle", (
        "Additions.oracle() must return a completion", "`def oracle(self, problem): return",
    )),
    Mistake("an empty completion is right", "right = answer == problem.answer",
        "right = answer in ('', problem.answer)", "def grade", (
        "accepts an empty completion", "grade()",
    )),
    # rewards
    Mistake("a reward that returns a list", RETURN, "return list(values)", "def __call__", (
        "Marked must return Rewards", "of type list", "`return Rewards(tuple(...))`",
    )),
    Mistake("a reward that returns nothing", RETURN, "Rewards(values)", "def __call__", (
        "Marked must return Rewards", "None, of type NoneType", "`return Rewards(tuple(...))`",
    )),
    Mistake("too few rewards", RETURN, "return Rewards(values[:1])", "def __call__", (
        "1 rewards for 4 completions", "Return None where it cannot say",
    )),
    Mistake("a reward that is not a number", RETURN, 'return Rewards((float("nan"),) * 4)',
        "def __call__", ("a reward that is not finite", "nan", "Return None where it cannot say")),
    Mistake("a reward that is text", RETURN, 'return Rewards(("1",) * 4)', "def __call__", (
        "returned a reward that is not a number", "'1', of type str", "`float(...)`",
    )),
    Mistake("a sealed read", RETURN,
        "return Rewards(tuple(float(grade.correct) for grade in view.grades))",
        "return Rewards(tuple(float(grade.correct)", (
        "'grade.correct' was read from a sealed rollout", "Declare uses_truth = True",
    )),
    Mistake("a reward that raises", RETURN, 'return {}["answer"]', 'return {}["answer"]', (
        "Marked raises an error", "KeyError: 'answer'", "`view.problem.prompt`",
    )),
    Mistake("a reward that changes the problem", CALL,
        f'uses_truth: ClassVar[bool] = True\n\n    {CALL}\n        view.problem.facts["a"] = "b"',
        "def __call__", (
        "Marked changes what it is shown", "dict(view.problem.facts)",
    )),
    Mistake("a reward that draws", RETURN,
        "return Rewards(tuple(__import__('random').random() for _ in values))", "def __call__", (
        "says different things of the same group", "`generator(*address).random(...)`",
    )),
    # the study
    Mistake("sampling as a dict", "Sampling(max_tokens=10)", '{"max_tokens": 10}', "return Arm(", (
        "sampling={'max_tokens': 10}", "Write sampling=Sampling(max_tokens=10)",
    )),
    Mistake("evaluation as a dict", "Evaluation(problems=8, draws=4, split=\"test\", readings=1)",
        '{"problems": 8}', "study = Study(", (
        "evaluation={'problems': 8}", "Write evaluation=Evaluation(problems=8)",
    )),
    Mistake("a start as a text", 'Organism("formats-planted")', '"my/model"', "return Arm(", (
        "start='my/model'", "Write start=Organism('my/model') or start=Pretrained('my/model')",
    )),
    Mistake("a start as a path", 'Organism("formats-planted")', 'Pretrained(HERE / "model")',
        'Pretrained(HERE / "model")', (
        "A pretrained model goes by a name", "Pretrained(str(path))",
    )),
    Mistake("seeds as a number", "seeds=(0,)", "seeds=0", "study = Study(", (
        "seeds=0, of type int", "seeds=(0, 1, 2), or for one alone seeds=(0,)",
    )),
    Mistake("seeds as texts", "seeds=(0,)", 'seeds=("0",)', "study = Study(", (
        "'0', of type str", "Write seeds=(0, 1, 2)",
    )),
    Mistake("a single claim", "        ),\n    ),\n)", "        )\n    ),\n)", "study = Study(", (
        "A study's claims are several", "claims=(Claim(...),)",
    )),
    Mistake("no claims", "claims=(", "claim=(", "study = Study(", (
        "unexpected keyword argument 'claim'", "`rewardscope methods` lists",
    )),
    Mistake("claims left out", "    seeds=(0,),\n", "", "study = Study(", (
        "missing 1 required positional argument: 'seeds'", "Write Study(..., seeds=(0, 1, 2))",
    )),
    Mistake("a label as a number", '{"k": "1"}', '{"k": 1}', "study = Study(", (
        "labels={'k': 1}", 'texts, such as {"k": "1"}',
    )),
    Mistake("more draws than there are", '{"k": "1"}', '{"k": "64"}', "study = Study(", (
        "labels={'k': '64'}, with Evaluation(draws=4)", "k one of 1, 2, 4",
        'Write labels={"k": "1"}',
    )),
    Mistake("no labels", LABELS, "", "study = Study(", (
        "no labels", 'Write labels={"k": "1"}',
    )),
    Mistake("a metric that is misspelt", "boundary/pass_at_k", "boundary/pass_k",
        "study = Study(", ("boundary/pass_k", "boundary/pass_at_k")),
    Mistake("a name with a space", 'name="marked"', 'name="My Study"', "study = Study(", (
        "'My Study'", "for instance to 'my-study'",
    )),
    Mistake("two arms of one name", 'arm("coin", Coin())', 'arm("mine", Coin())',
        "study = Study(", ("Arms' names and seeds must differ", "Rename or remove")),
    Mistake("steps as a text", "steps=1,", 'steps="1",', "return Arm(", (
        "steps='1'", "Write steps=1",
    )),
    Mistake("tokens as a text", "max_tokens=10", 'max_tokens="10"', "max_tokens=", (
        "Sampling cannot take this as its max_tokens", "Write max_tokens=10",
    )),
    Mistake("one stop text", "max_tokens=10", 'max_tokens=10, stop="\\n"', "max_tokens=", (
        "Sampling needs texts in stop", "Write stop=('\\n',)",
    )),
    Mistake("draws as a text", "draws=4", 'draws="4"', "draws=", (
        "Evaluation cannot take this as its draws", "Write draws=4",
    )),
    Mistake("no study", "study = Study(", "studdy = Study(", "studdy = Study(", (
        "leaves no study behind", "Name it so: `study = studdy`",
    )),
    Mistake("a module that is not there", "from pathlib import Path",
        "import jsn\nfrom pathlib import Path", "import jsn", (
        "No module named 'jsn'", "Correct the name of 'jsn', or install what has it",
    )),
    Mistake("no Python", "study = Study(", "study := Study(", "study := Study(", (
        "SyntaxError", "Correct that line",
    )),
)  # fmt: skip
