#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The fallback chain, with real packets: nobody tells the table that a worker
# died, and still each request is answered, by the next best.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides; the commands are in cli/policy.bats"
}

teardown() {
	end_test
}

# Packets that found an empty slot first, that the kernel picked for, and slots
# found empty.
chain() {
	status 8080 "$proto" '.counters |
		"\(.chain.next_best) \(.fallbacks.exhausted) \(.chain.empty)"'
}

# More workers than policies: under each policy one of them dies.
deaths() {
	local policy died=0 before after answers
	begin 16 --policy consistent
	ask 50 >/dev/null
	equal "$(chain)" "0 0 0"
	kill_keeper 8080 "$proto"

	after="0 0 0"
	for policy in "${POLICIES[@]}"; do
		# A change takes those who are gone out of the table.
		use $policy
		before=$after
		stop "${worker_pids[died]}" KILL
		died=$((died + 1))
		answers=$(ask 400) || fail "not all answered under $policy"
		after=$(chain)
		case $policy in
		hash | linux39 | least-queue)
			equal "$after" "$before" "the chain, $policy"
			;;
		*)
			read -r next_best exhausted empty <<<"$before"
			read -r next_best_now exhausted_now empty_now <<<"$after"
			near $((next_best_now - next_best)) 400 "1/$((17 - died))" "next best, $policy"
			[ "$next_best_now" -gt "$next_best" ] || fail "$policy: no next best"
			# Three further ones are asked, and may be the dead one again.
			[ $((exhausted_now - exhausted)) -le 10 ]
			[ $((empty_now - empty)) -ge $((next_best_now - next_best)) ]
			;;
		esac
		equal "$(answers_by_worker <<<"$answers" | wc -l)" $((16 - died)) "workers, $policy"
	done
	equal "$(packets 8080 "$proto")" $((50 + died * 400))
	equal "$(status 8080 "$proto" .counters.fallback)" \
		"$(status 8080 "$proto" .counters.fallbacks.exhausted)" "fallback"
	balanced 8080 "$proto"

	# The next keeper mends the table.
	attach --port 8080 --proto "$proto"
	before=$(chain)
	ask 400 >/dev/null
	equal "$(chain)" "$before" "the chain, with a keeper"
	balanced 8080 "$proto"
}

@test "chain: a worker dies without a keeper under every policy, TCP" {
	here tcp
	deaths
}

@test "chain: a worker dies without a keeper under every policy, UDP" {
	here udp
	deaths
}

# The keys of the dead go to others and all others stay; as they do when the
# table is mended, which may send the keys of the dead to others again. For the sake
# of exact shares a few others may move then: no more than the argument.
keys_of_the_dead() {
	local few=$1 first unmended mended dead=${worker_ids[1]} moves lost exhausted
	first=$(ask 1000)
	lost=$(grep -c " $dead\$" <<<"$first")
	kill_keeper 8080 "$proto"
	stop "${worker_pids[1]}" KILL
	unmended=$(ask 1000)
	moves=$(moved "$first" "$unmended")
	diff <(cut -d' ' -f1 <<<"$moves") <(sed -n "s/ $dead\$//p" <<<"$first")
	equal "$(cut -d' ' -f2 <<<"$moves" | sort -u | wc -l)" 3 "heirs"
	# Where the next best is empty too, a further one is asked.
	equal "$(status 8080 "$proto" .counters.chain.next_best)" "$lost" "next best asked"
	[ "$(status 8080 "$proto" .counters.chain.empty)" -ge "$lost" ]
	# Four times the dead one, of the four that there were: the kernel's pick.
	exhausted=$(status 8080 "$proto" .counters.fallbacks.exhausted)
	near "$exhausted" 1000 0.0039 "exhausted"
	equal "$(status 8080 "$proto" .counters.selected)" $((2000 - exhausted)) "selected"
	# Equal packets take equal ways.
	diff <(echo "$unmended") <(ask 1000)

	attach --port 8080 --proto "$proto"
	mended=$(ask 1000)
	moves=$(moved "$first" "$mended")
	equal "$(cut -d' ' -f1 <<<"$moves" | grep -cxF -f <(sed -n "s/ $dead\$//p" <<<"$first"))" \
		"$lost" "keys of the dead that moved"
	[ "$(lines "$moves")" -le $((lost + few)) ] || fail "$(lines "$moves") moved for $lost"
	equal "$(status 8080 "$proto" .counters.chain.next_best)" $((2 * lost)) "next best, mended"
	balanced 8080 "$proto"
}

@test "chain: consistent, the survivors' keys stay, TCP" {
	here tcp
	begin 4 --policy consistent
	keys_of_the_dead 0
}

@test "chain: weighted over consistent, the survivors' keys stay, UDP over IPv6" {
	here udp v6
	begin 4 --policy weighted --over consistent
	keys_of_the_dead 30
}

# Who comes after the dead one in turn gets no more for it, and no less.
@test "chain: round-robin, a worker dies without a keeper" {
	local cpu
	here tcp
	begin 5 --policy round-robin
	kill_keeper 8080 tcp
	stop "${worker_pids[1]}" KILL
	cpu=$(taskset -cp $$ | sed 's/.*: //; s/[-,].*//')
	equal "$(in_ns taskset -c "$cpu" "$HELPERS/client" --to "$to" --count 400 |
		answers_by_worker | cut -d' ' -f2 | xargs)" "100 100 100 100"
}

# Of eight workers seven die: what the four tries do not find the kernel finds.
@test "chain: most workers die, and what is not found is served and counted" {
	local i exhausted
	for proto in tcp udp; do
		here $proto
		begin 8 --policy random
		kill_keeper 8080 $proto
		for i in {1..7}; do
			stop "${worker_pids[i]}" KILL
		done
		equal "$(ask 500 | answers_by_worker)" "${worker_ids[0]} 500"
		exhausted=$(status 8080 $proto .counters.fallbacks.exhausted)
		# (7/8)^4
		near "$exhausted" 500 0.586 "exhausted"
		equal "$(status 8080 $proto .counters.fallback)" "$exhausted"
		balanced 8080 $proto
	done
}

# Requests that wait for a worker which closes take the same way: under each
# policy they go to others, and none is lost.
@test "chain: a closing worker's queue is given to the others under every policy" {
	local policy died=0
	here tcp
	skip_without migration
	begin 16
	kill_keeper 8080 tcp
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	for policy in "${POLICIES[@]}"; do
		use $policy
		kill -STOP "${worker_pids[died]}"
		spawn "$BATS_TEST_TMPDIR/queue" "$HELPERS/queue" --to "$to" --count 100 \
			<"$BATS_TEST_TMPDIR/go"
		wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/queue"
		stop "${worker_pids[died]}" KILL
		echo >&"$go"
		wait "$spawned"
		tail -n 1 "$BATS_TEST_TMPDIR/queue" |
			jq -e '.connected == 100 and .answered == 100' >/dev/null ||
			fail "$policy: $(tail -n 1 "$BATS_TEST_TMPDIR/queue")"
		died=$((died + 1))
	done
	# Of the last few workers one connection in some hundreds finds the dead one in every step.
	equal "$(balanced 8080 tcp '.counters |
		.migrated > 0 and .fallback == .fallbacks.exhausted and .fallback <= 3')" true "migrated"
}
