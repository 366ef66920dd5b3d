#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The demo runs to its end, and what it says about its client is true: nothing failed but what it
# announces.
load common.bash

@test "demo: to the end, and no connection of the second server fails" {
	run "$RP_ROOT/tests/demo.sh" "$REUSEPORTCTL"
	equal "$status" 0
	# One worker is killed in the first part, and its clients with it.
	[ "$(grep -c "^The client's result: " <<<"$output")" -eq 2 ]
	read -r sent answered < <(sed -n "s/^The client's result: \([0-9]*\) connections, \([0-9]*\) answered,/\1 \2/p" \
		<<<"$output" | tail -n 1)
	[ "$sent" -gt 500 ]
	equal "$answered" "$sent" "answered"
	equal "$(tail -n 1 <<<"$output" | grep -c '1 group detached')" 1
	# Nothing is left.
	! ip netns list | grep -q "^demo-$$" || fail "its namespace"
	[ ! -e /sys/fs/bpf/reuseport ] || fail "its pins"
}
