# The commands of this project. Each is short; what it does is in the script it calls.

SHELL_SCRIPTS = $(shell grep -rlE '^\#!.*sh$$' .ci tests)
HOSTS ?= 13

.PHONY: demo demo-down lab lab-down test bench bench-genesis lint lint-text lint-kubernetes

demo: ## six booted hosts, and on them a private Clique network made and restarted by Chainwright
	tests/lab/demo

demo-down: ## removes the demo's hosts with everything they made
	tests/lab/lab down demo

lab: ## plain hosts host1 ... for tests and benchmarks: make lab HOSTS=13
	tests/lab/prerequisites
	tests/lab/lab up plain $(HOSTS)

lab-down: ## removes the plain hosts
	tests/lab/lab down plain

test: ## lint, and every test: unit, command line, modules on real hosts, the network with real geth
	tests/lab/test

bench: ## the same 50 tasks with Ansible, Mitogen, pyinfra and Chainwright
	tests/lab/prerequisites cargo
	tests/bench/run

bench-genesis: ## the hash of 100,000 accounts beside `geth init`, with the memory of both
	tests/lab/prerequisites cargo go
	tests/bench/genesis

lint: lint-text lint-kubernetes ## whatever is found is an error
	cargo clippy --all-targets -- -D warnings

lint-text: ## formatting, shellcheck
	cargo fmt --check
	shellcheck -x $(SHELL_SCRIPTS)

lint-kubernetes: ## the manifests of Kubernetes, built with kustomize
	tests/lab/kubernetes
