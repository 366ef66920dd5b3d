#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The running kernel's verifier accepts every BPF program, in each variant that the
# kernel has what it needs for; and how many instructions it looks at to find out.
# RP_SEEN: a folder, in which the figures are left as verifier-COMPILER.json.
load ../bash/lib.bash

# Of 1,000,000 that the kernel allows. Each attach waits for them, and a loop that the
# verifier follows on many paths is seen here long before a user's kernel refuses it.
INSNS_MAX=100000

setup_file() {
	local compiler

	VERIFIED=$BATS_FILE_TMPDIR/lines
	export VERIFIED
	"$HELPERS/verify" >"$VERIFIED" || echo "# verify: exit status $?" >&3
	jq -r '"# \(.object) \(.program)" + (if .variant == "" then "" else " " + .variant end) +
		": \(.result)" +
		(if .insns then ", \(.insns) insns, \(.peak_states) states" else "" end) +
		(if .error then ", \(.error): \(.log)" | gsub("\n"; "\n#   ") else "" end)' \
		"$VERIFIED" >&3
	compiler=$(jq -rs '.[0].compiler' "$VERIFIED")
	echo "# compiler $compiler, libbpf $(jq -rs '.[0].libbpf' "$VERIFIED"), kernel $(uname -r)" >&3
	if [ -n "${RP_SEEN:-}" ]; then
		cp "$VERIFIED" "$RP_SEEN/verifier-$compiler.json"
	fi
}

# accepted PROGRAM VARIANT
accepted() {
	local result

	result=$(jq -r --arg program "$1" --arg variant "$2" \
		'select(.program == $program and .variant == $variant).result' "$VERIFIED")
	equal "$result" accepted "$1 $2"
}

# steer_accepted SELECT READS: with each protocol, and with sticky flows
steer_accepted() {
	accepted reuseport_steer "tcp $1 $2"
	accepted reuseport_steer "udp $1 $2"
	accepted reuseport_steer "udp $1 $2 sticky"
}

@test "verifier: steer, with probe reads" {
	steer_accepted select probe
}

@test "verifier: steer, select-or-migrate" {
	skip_without migration
	steer_accepted migrate probe
}

@test "verifier: steer, plain reads" {
	skip_without plain-reads
	steer_accepted select plain
	steer_accepted migrate plain
}

@test "verifier: hooks" {
	skip_without bind-events
	accepted hook_bind4 ""
	accepted hook_bind6 ""
}

@test "verifier: socket options, where a program has no errnos of its own, nor words" {
	skip_without socket-options
	accepted hook_setsockopt "EPERM no-words"
	accepted hook_getsockopt "EPERM no-words"
}

@test "verifier: socket options" {
	skip_without socket-options
	[ "$(printf '5.18\n%s' "$(uname -r)" | sort -V | head -n 1)" = 5.18 ] || skip "Linux $(uname -r)"
	accepted hook_setsockopt "errnos words"
	accepted hook_getsockopt "errnos words"
	accepted hook_setsockopt "EPERM words"
}

@test "verifier: group iterators" {
	skip_without iterators
	accepted group_iter_tcp ""
	accepted group_iter_udp ""
}

@test "verifier: queue depth" {
	accepted queue_depth_get "tcp probe"
}

@test "verifier: slot sockets" {
	accepted slot_sockets_look ""
}

@test "verifier: far from the limit of instructions" {
	equal "$(jq -rs 'map(select(.result == "accepted" and (.insns | not))) | length' \
		"$VERIFIED")" 0 "programs without a count"
	equal "$(jq -r --argjson max $INSNS_MAX 'select(.insns >= $max) |
		"\(.program) \(.variant) \(.insns)"' "$VERIFIED")" "" "programs of too many"
}

@test "verifier: no atomic instruction with a result (5.12)" {
	equal "$(jq -r 'select(.fetches != 0) | "\(.program) \(.fetches)"' "$VERIFIED")" "" \
		"programs that have some"
}
