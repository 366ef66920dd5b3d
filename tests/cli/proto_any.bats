#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# --proto any: one command for the groups of both protocols.
load common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# steered: protocols that are, of port 5300.
steered() {
	ctl status --port 5300 --json | jq -r '[.groups[].proto] | sort | join(" ")'
}

# prints COMMAND... -- TEXT...: each is in what it prints.
prints() {
	local command=()
	while [ "$1" != -- ]; do command+=("$1"); shift; done
	shift
	succeeds "${command[@]}"
	message=$output
	says "$@"
}

@test "proto any: attach, status, list, policy and detach are about both groups" {
	start_workers 2 --port 5300
	start_workers 3 --port 5300 --proto udp
	prints ctl attach --port 5300 --proto any -- \
		"tcp 0.0.0.0:5300: steering 2 workers" "udp 0.0.0.0:5300: steering 3 workers"
	equal "$(steered)" "tcp udp"
	equal "$(ctl status --port 5300 --proto any --json | jq '.groups | length')" 2
	equal "$(ctl list --port 5300 --proto any --json | jq '.groups | length')" 2
	prints ctl policy --port 5300 --proto any consistent -- "tcp 0.0.0.0:5300" "udp 0.0.0.0:5300"
	equal "$(status 5300 tcp .policy) $(status 5300 udp .policy)" "consistent consistent"
	prints ctl attach --port 5300 --proto any --policy consistent -- \
		"tcp 0.0.0.0:5300: is steered already" "udp 0.0.0.0:5300: is steered already"
	prints ctl detach --port 5300 --proto any -- "tcp and udp port 5300: 2 groups detached"
	[ ! -e "$PINS" ] || fail "$PINS is left"
}

@test "proto any: what is there of the two is steered" {
	start_workers 2 --port 5300 --proto udp
	run -0 ctl attach --port 5300 --proto any
	equal "$(steered)" udp
	# The other one comes later.
	start_workers 2 --port 5300
	prints ctl attach --port 5300 --proto any -- \
		"tcp 0.0.0.0:5300: steering 2" "udp 0.0.0.0:5300: is steered already"
	equal "$(steered)" "tcp udp"
}

@test "proto any: nothing on the port, sockets that cannot be steered" {
	refused 3 ctl attach --port 5300 --proto any
	says "no tcp and no udp socket is on port 5300"
	refused 3 ctl detach --port 5300 --proto any
	says "tcp or udp port 5300"
	start_workers 2 --port 5300 --proto udp
	start_worker --port 5300 --no-reuseport
	refused 1 ctl attach --port 5300 --proto any
	says "tcp 0.0.0.0:5300" "has no SO_REUSEPORT"
	[ ! -e "$PINS" ] || fail "udp was attached"
}

@test "proto any: different options change nothing, the hint repeats it" {
	start_workers 2 --port 5300
	start_workers 2 --port 5300 --proto udp
	ctl attach --port 5300 --proto udp --policy random
	refused 1 ctl attach --port 5300 --proto any --policy consistent
	says "udp 0.0.0.0:5300 is steered already" "'reuseportctl policy --port 5300 --proto any "
	equal "$(steered)" udp
}

@test "proto any: --wait waits for both" {
	local waits
	start_workers 2 --port 5300 --proto udp
	spawn "$BATS_TEST_TMPDIR/attach" "$REUSEPORTCTL" attach --port 5300 --proto any --wait
	waits=$spawned
	sleep 0.3
	! gone "$waits" || fail "it did not wait"
	start_workers 2 --port 5300
	wait_until 20 gone "$waits"
	equal "$(steered)" "tcp udp"
}

@test "proto any: not for commands about one group" {
	local command
	for command in "weight 1 1" "drain 1" "undrain 1" "admit 1" "rollout begin"; do
		# shellcheck disable=SC2086 # words
		refused 2 ctl ${command%% *} --port 5300 --proto any ${command#* }
		says "--proto 'any' is neither tcp nor udp"
	done
	refused 2 ctl attach --port 5300 --proto all
	says "neither tcp nor udp nor any"
}
