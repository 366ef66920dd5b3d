#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A group that is opened before it has members, and sockets that are added by descriptor, with all
# capabilities and with the few that the header asks for.
load ../bash/lib.bash
load build.bash

setup_file() {
	api_build open
	api_build isolated
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# opens [CMD...]: the whole program, begun by a command that drops capabilities.
opens() {
	run in_ns "$@" "$BATS_FILE_TMPDIR/open" 8080 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "open: before any member, by address, by socket, with sockets that were sent" {
	opens
}

@test "open: without CAP_SYS_PTRACE" {
	opens setpriv --inh-caps=-all,+bpf,+perfmon,+net_admin \
		--bounding-set=-all,+bpf,+perfmon,+net_admin
}

# Sockets are polled.
@test "open: with CAP_BPF and CAP_PERFMON alone" {
	opens setpriv --inh-caps=-all,+bpf,+perfmon --bounding-set=-all,+bpf,+perfmon
}

@test "open: a socket is added while it joins by itself; an empty group is left to the keeper" {
	run in_ns "$BATS_FILE_TMPDIR/isolated" 8080 3>&-
	grep -v ^ok <<<"$output"
	equal "$status" 0 "exit status"
}
