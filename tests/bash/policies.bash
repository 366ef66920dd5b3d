# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# For the tests of the policies, on top of lib.bash: every policy in turn, what
# was answered and by whom, what the counters say of it.
#
#   load ../bash/lib.bash
#   load ../bash/policies.bash

# shellcheck disable=SC2034,SC2154 # variables from here to the tests, and from lib.bash

# Those that need the table, in every way that there is to fill it.
TABLE_POLICIES=(
	"hash --key src-prefix/31,127"
	"linux39 --hash-key 000102030405060708090a0b0c0d0e0f"
	"consistent"
	"weighted"
	"weighted --over consistent"
	"cpu"
	"numa"
	"random"
	"round-robin"
)
POLICIES=("hash" "linux39" "least-queue" "${TABLE_POLICIES[@]}")

# here PROTO [v6]: what the functions below are about.
here() {
	proto=$1
	to=127.0.0.1:8080
	listen=()
	if [ "${2:-}" = v6 ]; then
		to='[::1]:8080'
		listen=(--addr :: --v6only)
	fi
}

# begin N ATTACH_ARGS...: workers, and steering.
begin() {
	local n=$1
	shift
	start_workers "$n" --port 8080 --proto "$proto" "${listen[@]}"
	attach --port 8080 --proto "$proto" "$@"
}

join() {
	start_worker --port 8080 --proto "$proto" "${listen[@]}"
	wait_until 3 in_sync 8080 "$proto"
}

# leave INDEX: of worker_pids.
leave() {
	stop "${worker_pids[$1]}"
	wait_until 3 in_sync 8080 "$proto"
}

# use POLICY ARGS...: as one word or several.
use() {
	ctl policy --port 8080 --proto "$proto" $* >/dev/null
}

weight() {
	ctl weight --port 8080 --proto "$proto" "$1" "$2" >/dev/null
}

# ask N ARGS...: one request of each of N tuples, all to be answered.
ask() {
	local n=$1
	shift
	client --proto "$proto" --to "$to" --count "$n" "$@"
}

# "COOKIE COUNT" for each worker that answered, from the client's lines.
answers_by_worker() {
	cut -d' ' -f2 | sort -n | uniq -c | awk '{ print $2, $1 }'
}

# learn_slots: of the workers that there are, for by_slot.
learn_slots() {
	status 8080 "$proto" '.workers[] | "\(.cookie) \(.slot)"' >"$BATS_TEST_TMPDIR/slots"
}

# The client's lines with the slot in place of the cookie.
by_slot() {
	awk 'NR == FNR { slot[$1] = $2; next } { print $1, slot[$2] }' "$BATS_TEST_TMPDIR/slots" -
}

# moved BEFORE AFTER: the lines of AFTER whose worker is another one than before.
moved() {
	diff --changed-group-format='%>' --unchanged-group-format='' <(echo "$1") <(echo "$2") || true
}

lines() {
	grep -c . <<<"$1" || true
}

# near COUNT N SHARE WHAT: a share of N at random, "0.25" or "1/4", five standard
# deviations wide.
near() {
	awk -v got="$1" -v n="$2" -v share="$3" 'BEGIN {
		split(share "/1", of, "/")
		p = of[1] / of[2]
		wide = 5 * sqrt(n * p * (1 - p)) + 1
		exit got < n * p - wide || got > n * p + wide }' ||
		fail "${4:-share}: $1 of $2, far from $3"
}

# Entries of each slot in the table in use, "SLOT COUNT".
table() {
	local pin width plans
	pin=$(status 8080 "$proto" .pin)
	width=$(status 8080 "$proto" .rules.table_width)
	plans=$(status 8080 "$proto" .rules.plans)
	bpftool -j map dump pinned "$pin/table" | jq -r --argjson w "$width" --argjson h $((plans & 1)) '
		[.[].formatted.value.slot[]] | .[length / 2 * $h:][:$w]
		| group_by(.)[] | "\(.[0]) \(length)"' | sort -n
}
