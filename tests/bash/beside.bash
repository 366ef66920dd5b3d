# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What runs on the host beside each test, by RP_BESIDE. Nothing: attach leaves a keeper behind,
# which is all that there is. Part of lib.bash.
#   keeper   'reuseportctl keeper', which keeps what the test attaches
#   library  a server with the library, which keeps a group of its own on port 8999

BESIDE_PORT=8999

start_beside() {
	case ${RP_BESIDE:-} in
	'') ;;
	keeper) keeper_beside ;;
	library) library_beside ;;
	*) fail "RP_BESIDE=$RP_BESIDE is neither keeper nor library" ;;
	esac
}

keeper_beside() {
	spawn "$BATS_TEST_TMPDIR/beside.log" "$REUSEPORTCTL" keeper \
		--log "$BATS_TEST_TMPDIR/beside.log"
	beside_pid=$spawned
	wait_until 10 test -e "$PINS/keeper"
}

library_beside() {
	local out=$BATS_TEST_TMPDIR/beside.out

	start_worker --port $BESIDE_PORT --sockets 2
	spawn "$out" "$LIBRARY_HELPERS/calls" --port $BESIDE_PORT --netns "$NS"
	beside_pid=$spawned
	wait_until 10 test -s "$out"
}

# It has done so to the end: unless the test has killed it, what it keeps is kept by it.
beside_was_there() {
	[ "${RP_BESIDE:-}" != library ] ||
		equal "$(keeper_pid $BESIDE_PORT tcp)" "$beside_pid" "the keeper of port $BESIDE_PORT"
}
