#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The demo runs to its end, and what it says about its client is true: nothing failed but what it
# announces.
load common.bash

@test "demo: to the end, and no connection of the second server fails" {
	local sent answered netns
	run "$RP_ROOT/tests/demo.sh" "$REUSEPORTCTL"
	equal "$status" 0
	# One worker is killed in the first part, and its clients with it.
	[ "$(grep -c "^The client's result: " <<<"$output")" -eq 2 ]
	read -r sent answered < <(sed -n "s/^The client's result: \([0-9]*\) connections, \([0-9]*\) answered,/\1 \2/p" \
		<<<"$output" | tail -n 1)
	[ "$sent" -gt 500 ]
	equal "$answered" "$sent" "answered"
	# The new instances, which nobody has admitted, were ready by themselves.
	[ "$(grep -c 'python3 *active' <<<"$output")" -eq 4 ] || fail "$output"
	equal "$(tail -n 1 <<<"$output" | grep -c '1 group detached')" 1
	# Nothing is left.
	netns=$(sed -n 's/^for the demo, \(demo-[0-9]*\)\.$/\1/p' <<<"$output")
	[ "$netns" ] && [ ! -e "/run/netns/$netns" ] || fail "its namespace"
	[ ! -e "$PINS" ] || fail "its pins"
}
