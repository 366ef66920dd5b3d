#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Events of the workers, for a program that keeps a group.
load ../bash/lib.bash
load build.bash

setup_file() {
	api_build events
}

setup() {
	begin_test
}

teardown() {
	end_test
}

@test "events: joined, ready, drained, left, detached, in order" {
	run in_ns "$BATS_FILE_TMPDIR/events" 8080 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}

# Where the kernel does not tell what is half open, and nothing wakes the keeper.
@test "events: without the features that may be missing" {
	run in_ns env REUSEPORT_DISABLE=events,iterators,test-run "$BATS_FILE_TMPDIR/events" 8080 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}
