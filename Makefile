# The commands of this project. Each is short; what it does is in the script it calls.

SHELL_SCRIPTS := .ci/run $(addprefix tests/lab/,lab keeper base geth prerequisites demo test relay) $(addprefix tests/bench/,run everywhere fingerprint)
HOSTS ?= 8

.PHONY: demo demo-down lab lab-down test bench lint

demo: ## six booted hosts, and on them a private Clique network made and restarted by Chainwright
	tests/lab/demo

demo-down: ## removes the demo's hosts with everything they made
	tests/lab/lab down demo

lab: ## plain hosts host1 ... for tests and benchmarks: make lab HOSTS=8
	tests/lab/prerequisites
	tests/lab/lab up plain $(HOSTS)

lab-down: ## removes the plain hosts
	tests/lab/lab down plain

test: ## every test: unit, command line, modules on real hosts, the network with real geth
	tests/lab/test

bench: ## the same 50 tasks with Ansible, Mitogen, pyinfra and Chainwright
	tests/lab/prerequisites cargo
	tests/bench/run

lint: ## formatting, clippy, shellcheck
	cargo fmt --check
	cargo clippy --all-targets -- -D warnings
	shellcheck -x $(SHELL_SCRIPTS)
