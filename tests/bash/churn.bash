# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Many joins and leaves, on top of lib.bash: one process starts and ends all
# workers, see tests/helpers/churn.c.

# shellcheck disable=SC2154 # variables from lib.bash

# begin_churn PROTO: on port 8080; live is the array of the workers' pids.
begin_churn() {
	mkfifo "$BATS_TEST_TMPDIR/to" "$BATS_TEST_TMPDIR/from"
	exec {churn_to}<>"$BATS_TEST_TMPDIR/to" {churn_from}<>"$BATS_TEST_TMPDIR/from"
	spawn "$BATS_TEST_TMPDIR/from" "$HELPERS/churn" --port 8080 --proto "$1" \
		<"$BATS_TEST_TMPDIR/to"
	live=()
}

say() {
	echo "$1" >&"$churn_to"
	read -r -t $((10 * RP_PATIENCE)) -u "$churn_from" answer || fail "churn does not answer"
}

churn_join() {
	say start
	live+=("$(cut -d' ' -f2 <<<"$answer")")
}

# churn_leave term|kill: one of the live workers at random.
churn_leave() {
	local i=$((RANDOM % ${#live[@]}))
	say "$1 ${live[i]}"
	unset "live[i]"
	live=("${live[@]}")
}

# only_races_failed LEAVES: a close within the microsecond in which the handshake
# of a connection ends resets that one, whoever picks. Measured with the kernel's
# own migration: 1 in 1,000 closes, at 1,700 connections a second.
only_races_failed() {
	load_is '.refused == 0 and .timeout == 0 and .other == 0'
	load_is ".reset <= 1 + $1 / 100"
}
