#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The capabilities of each public call, with all others dropped.
load ../bash/lib.bash
load build.bash

setup_file() {
	api_build capabilities
	api_build received
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# holds NAME ARGS...: a program that prints TAP.
holds() {
	run in_ns "$BATS_FILE_TMPDIR/$1" "${@:2}" 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "capabilities: each call has enough with those of the header, and needs each" {
	holds capabilities 8080
}

@test "capabilities: a keeper without CAP_SYS_PTRACE, a worker without any" {
	holds received 8080
}

# Those that only read what a handle or a list has need none. The host's keeper logs what it lacks
# for an attachment: see tests/cli/capabilities.bats.
@test "capabilities: every public call is tried" {
	local call
	for call in $(sed -n 's/^[[:space:]]*\(reuseport_[a-z0-9_]*\);$/\1/p' \
		"$RP_ROOT/src/lib/libreuseport-bpf.map" |
		grep -Ev '__(count|get|free|fd|key|pin|adopted|workers)[a-z_]*$|_(name|text|at|version)$'); do
		grep -qw "$call" "$RP_ROOT"/tests/api/{capabilities,received}.c || echo "$call"
	done | sort >"$BATS_TEST_TMPDIR/untried"
	diff "$BATS_TEST_TMPDIR/untried" - <<-END
		reuseport_counters__fallback
		reuseport_keeper__process
	END
}
