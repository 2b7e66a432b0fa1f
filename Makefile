# make demo      a visit, from card to paper
# make test      everything that proves it
# make preview   every screen in every language, in a browser
# The rest: check (format, clippy, types), bench, simulate (top-ups by the million), soak (hours at tray and till),
# fuzz (parsers of bytes of cards and payment terminal), wire (generate ui/src/wire.ts), setup (system packages), clean.

SHELL := /bin/bash
.DELETE_ON_ERROR:
.PHONY: demo test preview check bench simulate soak fuzz wire setup ui build clean help

CARGO ?= cargo
UI_SOURCES := $(shell find ui/src ui/public ui/index.html ui/*.html ui/*.ts ui/*.js ui/package.json -type f 2>/dev/null)

help:
	@sed -n '1,5p' Makefile | cut -c3-

# The only step that uses apt or sudo; quick when there is nothing to do.
setup:
	@scripts/setup.sh

ui/node_modules/.package-lock.json: ui/package-lock.json ui/package.json
	cd ui && npm ci --no-progress
	@touch $@

ui/dist/index.html: ui/node_modules/.package-lock.json $(UI_SOURCES)
	cd ui && npm run --silent build
	@touch $@

# tauri's generate_context! needs the built screens.
ui: ui/dist/index.html

check: setup ui
	$(CARGO) fmt --all --check
	$(CARGO) clippy --workspace --all-targets --locked --quiet -- -D warnings
	cd ui && npm run --silent check

build: setup ui
	$(CARGO) build --workspace --all-targets --locked

test: build
	@scripts/test.sh

demo: build
	@target/debug/citizen-testbed demo

# Needs Node alone: the recorded views lie in ui/views.
preview: ui/node_modules/.package-lock.json
	@cd ui && npm run --silent preview

bench: setup ui
	@scripts/bench.sh

# HISTORIES=10000000 for as many; SEED=7 tells one history; ARGS="--bugs", "--order vending", "--table FILE" and more.
simulate: setup
	$(CARGO) build --release --locked --quiet --package simulation
	@target/release/citizen-simulate $(if $(SEED),--seed $(SEED),--histories $(or $(HISTORIES),100000)) $(ARGS)

soak: setup ui
	$(CARGO) build --release --locked --quiet --package testbed --package central --package card-simulator --package payment-simulator
	@target/release/citizen-money-soak
	@ulimit -n 8192 && TERMINALS=$(or $(TERMINALS),1000) FOR_SECONDS=$(or $(FOR_SECONDS),600) \
		$(CARGO) bench --locked --quiet --package central --bench fleet
	@target/release/citizen-soak

# SECONDS_EACH=60 for each parser; scripts/fuzz.sh names them.
fuzz: setup
	@scripts/fuzz.sh

wire:
	UPDATE_WIRE=1 $(CARGO) nextest run --package session -E 'test(in_step)'

clean:
	$(CARGO) clean
	rm -rf ui/dist ui/dist-preview ui/node_modules
