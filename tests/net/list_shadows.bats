#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# list: which of two groups on a port is shadowed, as real packets go.
load ../bash/lib.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# lay PROTO OLDER NEWER TARGET WINNER STATES: two groups on a port of their own; the packets tell
# which one gets what is sent to TARGET.
lay() {
	local proto=$1 older newer winner=$5
	port=$((port + 1))
	# shellcheck disable=SC2086 # words
	start_worker --port $port --proto "$proto" $2
	older=$worker_cookies
	# shellcheck disable=SC2086 # words
	start_worker --port $port --proto "$proto" $3
	newer=$worker_cookies
	client --to "$4:$port" --proto "$proto" --count 4 >"$BATS_TEST_TMPDIR/answers"
	equal "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/answers" | sort -u)" "${!winner}" \
		"$proto: who gets the packets to $4 of '$2' and '$3'"
	expected+=("$port $proto $6")
}

# shadows PROTO: in all layouts of two groups.
shadows() {
	local port=8000 proto=$1 any="--addr 0.0.0.0" six="--addr ::" dev="--bind-dev lo" rows
	local -a expected=()
	lay $proto "$any" "--addr 127.0.0.1" 127.0.0.1 newer "0.0.0.0 shadowed, 127.0.0.1 plain"
	lay $proto "--addr 127.0.0.1" "$any" 127.0.0.1 older "0.0.0.0 shadowed, 127.0.0.1 plain"
	lay $proto "--addr 127.0.0.1" "--addr 127.0.0.2" 127.0.0.1 older "127.0.0.1 plain, 127.0.0.2 plain"
	lay $proto "$six" "$any" 127.0.0.1 newer "0.0.0.0 plain, :: shadowed"
	lay $proto "$any" "$six" 127.0.0.1 older "0.0.0.0 plain, :: shadowed"
	lay $proto "$six --v6only" "$any" 127.0.0.1 newer "0.0.0.0 plain, :: plain"
	lay $proto "$six" "--addr ::1" "[::1]" newer ":: shadowed, ::1 plain"
	# Of two groups in one chain of the kernel the first one gets all that it matches,
	# also where the other's device would match better.
	lay $proto "$any" "$any $dev" 127.0.0.1 newer "0.0.0.0 shadowed, 0.0.0.0%1 plain"
	lay $proto "$any $dev" "$any" 127.0.0.1 newer "0.0.0.0 plain, 0.0.0.0%1 shadowed"
	lay $proto "$six" "$six $dev" "[::1]" older ":: plain, ::%1 shadowed"
	lay $proto "$six $dev" "$six" "[::1]" older ":: shadowed, ::%1 plain"
	lay $proto "$any $dev" "--addr 127.0.0.1" 127.0.0.1 newer "0.0.0.0%1 shadowed, 127.0.0.1 plain"
	rows=$(ctl list --json | jq -r '.groups | group_by(.port)[] | "\(.[0].port) \(.[0].proto) " +
		(map(.addr + (if .ifindex == 0 then "" else "%\(.ifindex)" end) + " " + .state) |
		sort | join(", "))')
	equal "$rows" "$(printf '%s\n' "${expected[@]}")" "states"
	equal "$(ctl list --port 8001 --json | jq -c '.groups[0] | [.addr, [.shadowed_by[].addr]]')" \
		'["0.0.0.0",["127.0.0.1"]]'
}

@test "list: shadowed, as TCP's packets go" {
	shadows tcp
}

@test "list: shadowed, as UDP's packets go" {
	shadows udp
}
