#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Each policy, with real packets: everything is answered and counted, and who
# gets it is who the policy says.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides; the commands are in cli/policy.bats"
}

teardown() {
	end_test
}

KEY=00112233445566778899aabbccddeeff
OTHER_KEY=00112233445566778899aabbccddeef0
# Tuples of which is asked where they go.
N=$(packets_of 500)

# -------------------------------------------------------------- every policy

all_policies() {
	local policy answers=$BATS_TEST_TMPDIR/answers
	local n packets looked_up repeated
	n=$(packets_of 100)
	begin 4
	for policy in "${POLICIES[@]}"; do
		use $policy
		ask "$n" || fail "not all answered under $policy"
	done >"$answers"
	equal "$(status 8080 "$proto" .policy)" "${policy%% *}"
	# On a slow machine TCP may send a SYN twice, which is looked up twice.
	packets=$((n * ${#POLICIES[@]}))
	repeated=$(in_ns nstat -asz TcpExtTCPSynRetrans | awk 'END { print $2 }')
	looked_up=$(status 8080 "$proto" .counters.packets)
	[ $((looked_up - packets)) -ge 0 ] && [ $((looked_up - packets)) -le "$repeated" ] ||
		fail "$looked_up look-ups, $packets requests, $repeated SYNs more"
	equal "$(status 8080 "$proto" '.counters | "\(.selected) \(.fallback)"')" "$looked_up 0" \
		"selected, fallback"
	[ "$repeated" -gt 0 ] || diff <(answers_by_worker <"$answers") \
		<(status 8080 "$proto" '.workers[] | "\(.cookie) \(.selected)"' | sort -n)
	balanced 8080 "$proto"
}

@test "policies: each serves all, TCP" {
	here tcp
	all_policies
}

@test "policies: each serves all, UDP" {
	here udp
	all_policies
}

@test "policies: each serves all, TCP over IPv6" {
	here tcp v6
	all_policies
}

@test "policies: each serves all, UDP over IPv6" {
	here udp v6
	all_policies
}

@test "policies: each serves all, IPv4 clients of a dual-stack server" {
	here tcp
	listen=(--addr ::)
	all_policies
}

@test "policies: each serves all, with probe reads" {
	export REUSEPORT_DISABLE=plain-reads
	here udp
	all_policies
}

# ---------------------------------------------------------------- consistent

# stays_consistent POLICY: workers join and leave, and only the keys that must
# move do.
stays_consistent() {
	local first with_newcomer without moves newcomer gone slot
	begin 5 --policy $*
	first=$(ask $N)
	diff <(echo "$first") <(ask $N) || fail "a tuple changed its worker without a reason"
	equal "$(answers_by_worker <<<"$first" | wc -l)" 5 "workers in use"

	join
	newcomer=$worker_cookies
	with_newcomer=$(ask $N)
	moves=$(moved "$first" "$with_newcomer")
	equal "$(cut -d' ' -f2 <<<"$moves" | sort -u)" "$newcomer" "to whom keys moved at a join"
	near "$(lines "$moves")" $N 0.1667 "keys that moved at a join"
	echo "# $*: $(lines "$moves") of $N keys moved to the sixth worker" >&3

	gone=${worker_ids[2]}
	slot=$(status 8080 "$proto" ".workers[] | select(.cookie == $gone) | .slot")
	leave 2
	without=$(ask $N)
	moves=$(moved "$with_newcomer" "$without")
	equal "$(lines "$moves")" "$(grep -c " $gone\$" <<<"$with_newcomer")" "keys that moved at a leave"
	diff <(cut -d' ' -f1 <<<"$moves") <(sed -n "s/ $gone\$//p" <<<"$with_newcomer") ||
		fail "other keys than the leaver's moved"
	echo "# $*: $(lines "$moves") of $N keys moved when one of six left" >&3

	# Its successor in the slot gets what it had, and nothing else.
	join
	equal "$(status 8080 "$proto" ".workers[] | select(.cookie == $worker_cookies) | .slot")" "$slot"
	diff <(sed "s/ $gone\$/ $worker_cookies/" <<<"$with_newcomer") <(ask $N) ||
		fail "the slot's next worker did not get the keys of the last one"
	# And without a keeper nothing changes.
	with_newcomer=$(ask $N)
	kill_keeper 8080 "$proto"
	diff <(echo "$with_newcomer") <(ask $N)
	attach --port 8080 --proto "$proto"
	diff <(echo "$with_newcomer") <(ask $N)
	only_exhausted
	balanced 8080 "$proto"
}

# Until the first packets after a leave have told of it, one in 216 of those that find the empty
# slot finds it four times, and is the kernel's.
only_exhausted() {
	local kernel other
	read -r kernel other < <(status 8080 "$proto" \
		'.counters | "\(.fallbacks.exhausted) \(.fallback - .fallbacks.exhausted)"')
	equal "$other" 0 "fallbacks of other kinds"
	[ "$kernel" -le 8 ] || fail "$kernel fallbacks"
}

@test "consistent: keys keep their worker, TCP" {
	here tcp
	stays_consistent consistent
}

@test "consistent: keys keep their worker, UDP over IPv6" {
	here udp v6
	stays_consistent consistent
}

keys_are() {
	diff <(echo "$1") <(ask $N) >/dev/null
}

@test "consistent: many workers join at once and leave again, and every key is back" {
	local first moves
	here tcp
	begin 4 --policy consistent
	first=$(ask $N)
	start_worker --port 8080 --sockets 12
	wait_until 3 in_sync 8080 tcp
	moves=$(moved "$first" "$(ask $N)")
	equal "$(cut -d' ' -f2 <<<"$moves" | grep -cxF -f <(printf '%s\n' "${worker_ids[@]}"))" 0 \
		"keys that moved among those who were there"
	near "$(lines "$moves")" $N 0.75 "keys that moved"
	stop "$worker_pid"
	wait_until 3 in_sync 8080 tcp
	# The first packets tell of the leave.
	wait_until 10 keys_are "$first"
}

# -------------------------------------------------------------------- the key

# Workers of each key, "KEY COUNT": the first field is the key already.
workers_of_key() {
	sort -u | cut -d' ' -f1 | uniq -c | awk '{ print $2, $1 }'
}

# one_worker_each LINES KEYS: that many keys, of which each has one worker only,
# and all workers some.
one_worker_each() {
	equal "$(workers_of_key <<<"$1" | wc -l)" "$2" "keys"
	equal "$(workers_of_key <<<"$1" | awk '$2 != 1' | wc -l)" 0 "keys with several workers"
	equal "$(answers_by_worker <<<"$1" | wc -l)" 4 "workers in use"
}

# The client's lines with the address alone, or with the first bytes of it.
addresses() {
	sed 's/:[0-9]* / /'
}

first_bytes() {
	sed -E "s/^(([0-9]+\\.){$1}).* /\\1 /"
}

by_source() {
	local policy first
	begin 4
	for policy in hash consistent linux39 weighted; do
		use $policy --key src
		first=$(ask 600 --hosts 60)
		# 60 addresses are drawn from 600 times.
		one_worker_each "$(addresses <<<"$first")" 60
	done
	diff <(echo "$first") <(ask 600 --hosts 60)

	use consistent --key src-prefix/24
	first=$(ask 600 --hosts 25600 --src 127.1.0.0)
	one_worker_each "$(first_bytes 3 <<<"$first")" 100
	[ "$(addresses <<<"$first" | sort -u | wc -l)" -gt 500 ]
	use consistent --key src-prefix/16
	first=$(ask 300 --hosts 25600 --src 127.1.0.0)
	equal "$(answers_by_worker <<<"$first" | wc -l)" 1 "workers of one /16"
}

@test "key: src and src-prefix, TCP" {
	here tcp
	by_source
}

@test "key: src and src-prefix, UDP, IPv4 clients of a dual-stack server" {
	here udp
	listen=(--addr ::)
	by_source
}

by_source_v6() {
	local first
	in_ns ip -6 route add local fd00::/64 dev lo
	in_ns sysctl -qw net.ipv6.ip_nonlocal_bind=1
	begin 4 --policy consistent --key src
	first=$(ask 600 --src fd00::1000 --hosts 60)
	one_worker_each "$(addresses <<<"$first")" 60
	use consistent --key src-prefix/120
	first=$(ask 600 --src fd00::1000 --hosts 25600)
	one_worker_each "$(sed -E 's/^\[fd00::([0-9a-f]*)[0-9a-f]{2}\].* /\1 /' <<<"$first")" 100
	use consistent --key src-prefix/8,64
	equal "$(ask 300 --src fd00::1000 --hosts 25600 | answers_by_worker | wc -l)" 1 "workers of one /64"
}

@test "key: src and src-prefix, TCP over IPv6" {
	here tcp v6
	by_source_v6
}

@test "key: src and src-prefix, UDP over IPv6" {
	here udp v6
	by_source_v6
}

@test "key: dst, the server's own address" {
	local i answers=
	for proto in tcp udp; do
		here $proto
		begin 4 --policy consistent --key dst
		answers=
		# So many that no worker is left out by chance, as 24 did once in 250 times.
		for i in {1..48}; do
			to=127.0.0.$i:8080
			answers+=$(ask 10 | sed "s/^[^ ]*/$i/")$'\n'
		done
		one_worker_each "$(grep . <<<"$answers")" 48
	done
}

# --------------------------------------------------------------- the hash key

HASHING=("hash" "linux39" "consistent" "weighted --over consistent")

# The same on every host, and after a reboot: by what was given alone.
same_hash_key() {
	local policy first
	begin 4
	learn_slots
	for policy in "${HASHING[@]}"; do
		first=$BATS_TEST_TMPDIR/first.${policy// /}
		use $policy --hash-key $KEY
		ask 400 | by_slot >"$first"
		use $policy --hash-key $OTHER_KEY
		# Three of four tuples have another worker.
		near "$(moved "$(cat "$first")" "$(ask 400 | by_slot)" | wc -l)" 400 0.75 \
			"moved by another key"
	done
	# A key that is not named again stays.
	use consistent
	equal "$(status 8080 "$proto" .rules.hash_key)" $OTHER_KEY
}

# Compares with what same_hash_key() saw.
same_again() {
	local policy
	begin 4
	learn_slots
	for policy in "${HASHING[@]}"; do
		use $policy --hash-key $KEY
		diff <(ask 400 | by_slot) "$BATS_TEST_TMPDIR/first.${policy// /}" ||
			fail "$policy: the same key, but another worker"
	done
}

hash_key() {
	local pid
	here "$@"
	same_hash_key
	ctl detach --port 8080 --proto "$proto"
	for pid in "${worker_pids[@]}"; do
		stop "$pid"
	done
	same_again
	# Another host: other boot secrets, other cookies.
	new_netns
	NS=$new_ns
	same_again
}

@test "hash key: the same one gives the same workers anywhere, TCP" {
	hash_key tcp
}

@test "hash key: the same one gives the same workers anywhere, UDP over IPv6" {
	hash_key udp v6
}

@test "hash key: with probe reads the same workers as with plain loads" {
	local pid family
	for family in "" v6; do
		here tcp $family
		unset REUSEPORT_DISABLE
		begin 4 --policy hash --hash-key $KEY
		learn_slots
		ask 400 | by_slot >"$BATS_TEST_TMPDIR/plain"
		ctl detach --port 8080
		export REUSEPORT_DISABLE=plain-reads
		attach --port 8080 --policy hash --hash-key $KEY
		learn_slots
		diff <(ask 400 | by_slot) "$BATS_TEST_TMPDIR/plain"
		ctl detach --port 8080
		for pid in "${worker_pids[@]}"; do
			stop "$pid"
		done
	done
}
