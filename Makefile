# Everything a developer and CI do, by one word each. `make help` lists the words.

VENV := .venv
STAMP := $(VENV)/.installed
UV := uv==0.13.9

.DEFAULT_GOAL := help
.PHONY: help packages venv demo demo-kubernetes test format lock clean

help:  ## list these targets
	@sed -n 's/^\([a-z-]*\):.*  ## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

packages:  ## install the missing system packages (Debian, Ubuntu; as root)
	@sh .ci/packages

venv: $(STAMP)  ## make .venv with the locked dependencies and this project

# The first Python that is new enough and complete; Debian splits venv and ensurepip off.
$(STAMP): requirements.lock pyproject.toml
	@for python in python3 python3.11 python3.12 python3.13 python3.14; do \
	    if $$python -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; \
	    then found=$$python; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo "venv: no Python 3.11 or newer with venv found: install python3-venv (make packages)" >&2; \
	    exit 1; \
	fi; \
	[ -x $(VENV)/bin/python ] || $$found -m venv $(VENV)
	$(VENV)/bin/python -m pip install -q --require-hashes -r requirements.lock
	$(VENV)/bin/python -m pip install -q --no-deps --no-build-isolation -e .
	@touch $@

demo: packages venv  ## show icplan at work in a lab on this machine
	@bash .ci/demo

demo-kubernetes: packages venv  ## show it with two Kube-OVN clusters, in a lab on this machine
	@bash .ci/demo-kubernetes

test: packages venv  ## run everything that CI runs
	@bash .ci/test

format: venv  ## format the code and repair what can be repaired
	$(VENV)/bin/ruff format icplan tests bench
	$(VENV)/bin/ruff check --fix icplan tests bench

# setuptools is locked too, as the project is built without isolation.
lock:  ## write requirements.lock anew from pyproject.toml
	@scratch=$$(mktemp -d) && trap 'rm -rf "$$scratch"' EXIT && \
	python3 -m venv "$$scratch/venv" && \
	"$$scratch/venv/bin/pip" install -q '$(UV)' && \
	echo 'setuptools>=77' | "$$scratch/venv/bin/uv" pip compile pyproject.toml - --group dev \
	    --universal --python-version 3.11 --generate-hashes --upgrade \
	    --no-header --no-emit-index-url --no-emit-find-links -q -o requirements.lock

clean:  ## remove what was made here, .venv included
	rm -rf $(VENV) build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache
	rm -rf .import_linter_cache .hypothesis
	find icplan tests -name __pycache__ -type d -prune -exec rm -rf {} +
