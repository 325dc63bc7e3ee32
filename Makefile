# Everything a person or a CI machine runs. Each target sets up what it needs.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
CORPUS ?= out/corpus
RUNS ?= runs
# Of the attack harness.
CASES ?= 10000
KILLS ?= 60
SEED ?= 0
# Recordings, laid out as docs/corpus.md says.
SPEECH_DATA ?= data

# Packages of the npm registry, none of which is in the repository: what draws in pages that talk writes, its
# bundler, and the judge of glTF files. $(NODE) holds them.
NODE := .node
THREE_JS := src/talkcli/engine/pages/three.js
NPM_PACKAGES = three@0.187.0 esbuild@0.28.2 gltf-validator@2.0.0-dev.3.10
# Debian's packages of a browser.
BROWSER = chromium chromium-driver
# Debian's packages of synthesisers, their voices, and recorded prompts with their texts.
SPEAKERS = flite espeak-ng festival festlex-cmu festvox-us-slt-hts festvox-kallpc16k festvox-kdlpc16k \
  $(foreach language,en es fr it ru,asterisk-core-sounds-$(language) asterisk-core-sounds-$(language)-g722)

.DEFAULT_GOAL := help
.PHONY: help setup demo browser bpy node viewer test lint types check fuzz kills docs bench lock head contact-sheet strip corpus train-phones train-dee train-vq weights faceformer emoface judges clean
.DELETE_ON_ERROR:

help: ## Show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(READY) viewer ## Make the environment in .venv from the pinned versions, and three.js for pages

# Debian and Ubuntu ship Python without the venv module; fetch it where that is so.
$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "talk needs Python 3.11 or newer; found: $$($(PYTHON) --version 2>&1). Use: make PYTHON=python3.12 ..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
	  echo "installing python3-venv"; \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -q && $$sudo apt-get install -y -q python3-venv; }
	$(PYTHON) -m venv $(VENV)
# The lock is complete; what [tool.uv] overrides, pip would refuse.
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY) ## Turn examples/hello.wav into face.mp4
	$(BIN)/talk animate examples/hello.wav --sigma 0.1 --out face.mp4

browser: ## Install Debian's Chromium, in which tests open the pages that talk writes
	@dpkg -s $(BROWSER) >/dev/null 2>&1 || { \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -q && $$sudo apt-get install -y -q --no-install-recommends $(BROWSER); }

# Blender as a Python module, about 350 MB each: it runs in a process of its own and is no dependency.
bpy: $(READY) ## Install Blender 4 and 5 into .bpy, for the tests of its script
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target .bpy/4 bpy==4.5.15
	$(BIN)/python -m pip install --quiet --no-deps --upgrade --target .bpy/5 bpy==5.0.1

node: ## Install Debian's Node.js and npm, where there are none
	@command -v npm >/dev/null || { \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -q && $$sudo apt-get install -y -q --no-install-recommends nodejs npm; }

viewer: ## Bundle three.js for pages that talk writes (--out face.html)
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(THREE_JS); \
	else echo "no npm: talk writes no .html pages (make node viewer)" >&2; fi

$(NODE)/.ready: Makefile
	npm install --prefix $(NODE) --no-save --no-package-lock --no-audit --no-fund --loglevel=error $(NPM_PACKAGES)
	@touch $@

# The licence stands at its beginning.
$(THREE_JS): $(NODE)/.ready src/talkcli/engine/pages/three.entry.js
	NODE_PATH=$(NODE)/node_modules $(NODE)/node_modules/.bin/esbuild src/talkcli/engine/pages/three.entry.js \
	  --bundle --minify --format=iife --global-name=THREE --log-level=warning --legal-comments=inline \
	  --banner:js="/*! three.js. $$(cat $(NODE)/node_modules/three/LICENSE) */" --outfile=$@

test: $(READY) viewer ## Run the tests, files side by side on all cores
	@command -v chromium >/dev/null && command -v chromedriver >/dev/null || \
	  echo "no chromium with chromedriver: tests of pages are skipped (make browser installs it)" >&2
	@test -d .bpy/4 && test -d .bpy/5 || echo "no .bpy: tests of the script for Blender are skipped (make bpy installs it)" >&2
	$(BIN)/python -m pytest -n auto --dist loadfile

lint: $(READY) ## Style, import layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(READY) ## Static types
	$(BIN)/mypy

check: lint types test ## What CI runs

fuzz: $(READY) ## Attack every reader and option: CASES=10000 SEED=0 (docs/reliability.md)
	$(BIN)/python -m tests.fuzz --cases $(CASES) --seed $(SEED)

kills: $(READY) ## Kill commands at random moments and run them again: KILLS=60 SEED=0
	$(BIN)/python -m tests.fuzz.kills --kills $(KILLS) --seed $(SEED)

docs: $(READY) ## Write docs/cli.md from the commands
	$(BIN)/python -m typer talkcli.app utils docs --name talk --output docs/cli.md

bench: $(READY) ## Measure rendering, generators and the whole command on this machine
	$(BIN)/talk bench render --out benchmarks/render.json
	$(BIN)/talk bench render --size 1024 --out benchmarks/render-1024.json
	$(BIN)/talk bench generator --out benchmarks/generator.json
	$(BIN)/talk bench generator --method all --out src/talkcli/engine/pipelines/bench/speeds.json
	$(BIN)/talk bench score --clips 320 --out benchmarks/score.json
	$(BIN)/talk bench animate --speech examples/hello.wav --out benchmarks/animate.json
	$(BIN)/talk bench animate --speech examples/hello.wav --size 1024 --out benchmarks/animate-1024.json

head: $(READY) ## Regenerate the head asset from its code
	$(BIN)/python -m talkcli.engine.face.ada.bake

contact-sheet: $(READY) ## Draw docs/ada.png
	$(BIN)/python examples/contact_sheet.py

strip: $(READY) ## Draw docs/strip.png
	$(BIN)/python examples/frame_strip.py

corpus: $(READY) ## Build the training corpus from SPEECH_DATA and synthetic speech
	@dpkg -s $(SPEAKERS) >/dev/null 2>&1 || { \
	  sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	  $$sudo apt-get update -q && $$sudo apt-get install -y -q $(SPEAKERS); }
	$(BIN)/talk preprocess corpus $(SPEECH_DATA) --out $(CORPUS)

# Goes on with the run in that folder, if there is one.
train = $(BIN)/talk $1 $(CORPUS)/manifest.jsonl --recipe $2 --out $(RUNS)/$3 $(if $(wildcard $(RUNS)/$3/run.json),--resume)

train-phones: corpus
	$(call train,$@,phones,phones)

train-dee: corpus
	$(call train,$@,dee-small,dee)

train-vq: corpus
	$(call train,$@,th_vqvae-small,vq)

# `OMP_NUM_THREADS=1 make -j2 weights` trains the first three two at a time, each on one core: on two cores
# this is much faster than two trainings that share them.
weights: train-phones train-dee train-vq ## Train the embedded model from the corpus (hours on a laptop CPU) and put it in place
	$(call train,train-gen,deeptalk-small,gen) --dee $(RUNS)/dee --prior $(RUNS)/vq --phones $(RUNS)/phones
	cp $(RUNS)/gen/best.safetensors src/talkcli/weights/deeptalk-small.safetensors

faceformer: train-phones ## Train the small FaceFormer from the corpus (minutes) and put it in place
	$(call train,train faceformer,faceformer-small,faceformer) --part phones=$(RUNS)/phones
	cp $(RUNS)/faceformer/best.safetensors src/talkcli/weights/faceformer-small.safetensors

emoface: train-phones ## Train the small EmoFace from the corpus (minutes) and put it in place
	$(call train,train emoface,emoface-small,emoface) --part phones=$(RUNS)/phones
	cp $(RUNS)/emoface/best.safetensors src/talkcli/weights/emoface-small.safetensors

judges: corpus ## Train our judges from the corpus (minutes) and put them in place
	$(call train,train-judge,sync,judge-sync)
	$(call train,train-judge,sync-image,judge-sync-image) --set films=$(SPEECH_DATA)/video
	$(call train,train-judge,ffd,judge-ffd)
	$(call train,train-judge,emotion-image,judge-emotion)
	cp $(RUNS)/judge-sync/best.safetensors src/talkcli/weights/judge-sync.safetensors
	cp $(RUNS)/judge-sync-image/best.safetensors src/talkcli/weights/judge-sync-image.safetensors
	cp $(RUNS)/judge-ffd/best.safetensors src/talkcli/weights/judge-ffd.safetensors
	cp $(RUNS)/judge-emotion/best.safetensors src/talkcli/weights/judge-emotion-image.safetensors

lock: $(READY) ## Pin the newest versions pyproject.toml allows
	$(BIN)/python -m pip install --quiet uv
	{ echo '# Exact versions of everything, made from pyproject.toml by `make lock`.'; \
	  $(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 \
	    --fork-strategy fewest --no-annotate --no-header --quiet; } > requirements.lock.new
	mv requirements.lock.new requirements.lock

clean: ## Remove the environment and caches
	rm -rf $(VENV) $(NODE) $(THREE_JS) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
