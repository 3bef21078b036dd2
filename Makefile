# `make` lists the targets. Each makes what it needs: a virtual environment, the installation.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# The CPU build of torch where pip offers one under this version; any torch from 2.2 on will do.
TORCH ?= torch==2.13.0

SENTENCE ?= Can you send the 3 new photos to anna@example.com before Monday? Thanks :)

.DEFAULT_GOAL := help
.PHONY: help demo test test-fast versions lint types arrows docs benchmark accuracy speed gpu long-range models clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

# Installed from the wheel, as a user would, not from the source tree.
# Directories among the files: one that has lost a file is newer as well.
SOURCES := pyproject.toml MANIFEST.in README.md LICENSE configs $(wildcard configs/*.cfg) \
	$(shell find spacy_lstm_tagger -not -name '__pycache__' -not -name '*.pyc')
$(VENV)/installed: $(BIN)/python $(SOURCES)
	$(BIN)/python -m pip install --quiet "$(TORCH)" build
	rm -rf dist build *.egg-info && $(BIN)/python -m build --wheel --outdir dist . > $(VENV)/build.log
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps dist/*.whl
	$(BIN)/python -m pip install --quiet "$$(ls dist/*.whl)[dev]"
	touch $@

# The English models, as a user would install them.
$(VENV)/models: $(VENV)/installed $(shell git ls-files models/en_ewt_lstm models/en_ewt_lstm_fast 2> /dev/null)
	rm -rf models/*/build models/*/*.egg-info
	$(BIN)/python -m pip install --quiet --force-reinstall --no-deps ./models/en_ewt_lstm ./models/en_ewt_lstm_fast
	touch $@

demo: $(VENV)/models ## Tag a sentence; train on the bundled corpus, evaluate, tag the sentence
	$(BIN)/python -m spacy lstm-tagger tag en_ewt_lstm "$(SENTENCE)"
	@mkdir -p demo
	$(BIN)/python -m spacy convert corpus/en-train.conllu demo --converter conllu -n 1
	$(BIN)/python -m spacy convert corpus/en-dev.conllu demo --converter conllu -n 1
	$(BIN)/python -m spacy train configs/demo.cfg --output demo/model \
	    --paths.train demo/en-train.spacy --paths.dev demo/en-dev.spacy
	$(BIN)/python -m spacy evaluate demo/model/model-best demo/en-dev.spacy --gold-preproc
	$(BIN)/python -m spacy lstm-tagger tag demo/model/model-best "$(SENTENCE)"

# A process for each core, one thread in each, and a file of tests at a time.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest tests -n auto --dist loadfile --no-loadscope-reorder

test: $(VENV)/models ## Run all tests against the installed wheel
	$(PYTEST)

test-fast: $(VENV)/models ## Run the tests that do not train for long
	$(PYTEST) -m "not slow"

versions: $(BIN)/python ## Run the fast tests under each version of Python and the libraries (an hour or more)
	$(BIN)/python -m pip install --quiet nox
	$(BIN)/nox

lint: $(VENV)/installed ## Check style and format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/zizmor --offline --quiet .github
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.citation-file-format CITATION.cff

types: $(VENV)/installed ## Check types
	$(BIN)/mypy

arrows: $(VENV)/installed ## Check that folders import only from those below them
	$(BIN)/lint-imports

docs: $(VENV)/installed ## Make the documentation site in site/; a broken link or anchor ends it
	$(BIN)/python -m pip install --quiet "$$(ls dist/*.whl)[docs]"
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --site-dir site

benchmark: $(VENV)/installed ## Accuracy and speed beside spaCy's taggers (about an hour)
	$(BIN)/python benchmarks/compare.py

accuracy: $(VENV)/installed ## Train every recipe and its peers, three seeds each (many hours)
	$(BIN)/python benchmarks/accuracy.py

speed: $(VENV)/installed ## Speed, memory and size beside spaCy's taggers (about an hour)
	$(BIN)/python benchmarks/speed.py

# The cupy for the CUDA that torch was built with; none for a torch of the CPU. Both in one command,
# so that the libraries of CUDA suit both.
gpu: $(VENV)/installed ## Test, train and time on an NVIDIA GPU (8 minutes)
	$(BIN)/python -m pip install --quiet "$(TORCH)" \
	    $$(PYTHONPATH=benchmarks $(BIN)/python -m measuring.device)
	$(BIN)/python benchmarks/gpu.py

long-range: $(VENV)/installed ## How far back each cell learns to look (about 10 minutes)
	$(BIN)/python benchmarks/long_range.py

models: $(VENV)/installed ## Make the English models again, from nothing (hours)
	$(BIN)/python -m pip install --quiet transformers
	$(MAKE) -C models PYTHON="$(abspath $(BIN))/python"

.PHONY: release-check
release-check: $(VENV)/installed ## Build what is released, in release/, and try it (TAG=v0.1.0: that tag)
	$(BIN)/python -m pip install --quiet --group release
	$(BIN)/python tools/release.py

clean: ## Remove everything that was made
	rm -rf $(VENV) .nox demo dist build release site *.egg-info models/*/build models/*/*.egg-info
