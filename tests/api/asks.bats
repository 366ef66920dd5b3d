#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A worker without capabilities asks by the library's calls, and waits for what it has asked.
load ../bash/lib.bash
load build.bash

setup_file() {
	api_build asks
}

setup() {
	begin_test
}

teardown() {
	end_test
}

@test "asks: a worker of an ordinary user, a keeper that may look into no other process" {
	run in_ns "$BATS_FILE_TMPDIR/asks" 8080 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}
