#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Each feature of the kernel that is not needed, masked by REUSEPORT_DISABLE: what
# takes its place does the same, and status says which way is in use.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/flows.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# way NAME VALUE: of those that status shows.
way() {
	equal "$(status 8080 "$proto" ".ways.$1")" "$2" "ways.$1"
}

told() {
	grep -q "$1" "$BATS_TEST_TMPDIR/keeper.log" || fail "the keeper did not say '$1'"
}

# what is asked is answered by all that are named, by cookie, and counted as selected.
answered_by() {
	local before after answers
	before=$(status 8080 "$proto" .counters.selected)
	answers=$(ask 120)
	equal "$(cut -d' ' -f2 <<<"$answers" | sort -nu | paste -sd' ')" \
		"$(printf '%s\n' "$@" | sort -n | paste -sd' ')" "who answers"
	after=$(balanced 8080 "$proto" .counters.selected)
	equal $((after - before)) 120 "selected"
}

# Everything that changes the tables and the workers, each step with its effect.
life() {
	local policy all
	begin 3
	all=("${worker_ids[@]}")
	for policy in "${POLICIES[@]}"; do
		use "$policy"
		equal "$(ask 60 | wc -l)" 60 "answers by $policy"
	done
	use consistent
	answered_by "${all[@]}"
	weight "cookie:${all[0]}" 0
	answered_by "${all[1]}" "${all[2]}"
	ctl drain --port 8080 --proto "$proto" "cookie:${all[1]}" >/dev/null
	answered_by "${all[2]}"
	join
	answered_by "${all[2]}" "$worker_cookies"
	stop "$worker_pid"
	wait_until 3 in_sync 8080 "$proto"
	answered_by "${all[2]}"

	kill_keeper 8080 "$proto"
	ctl undrain --port 8080 --proto "$proto" "cookie:${all[1]}" >/dev/null
	answered_by "${all[1]}" "${all[2]}"
	attach --port 8080 --proto "$proto"
	weight "cookie:${all[0]}" 1
	answered_by "${all[@]}"

	ctl rollout --port 8080 --proto "$proto" begin >/dev/null
	join
	answered_by "${all[@]}"
	ctl rollout --port 8080 --proto "$proto" switch >/dev/null
	answered_by "$worker_cookies"
	ctl rollout --port 8080 --proto "$proto" abort >/dev/null
	answered_by "${all[@]}"
}

# ------------------------------------------------------------------------ tables

mmap_life() {
	export REUSEPORT_DISABLE=mmap
	here "$1"
	life
	way tables "system calls"
	told "without mmap"
}

@test "masked: mmap, TCP: tables by system calls" {
	mmap_life tcp
}

@test "masked: mmap, UDP: tables by system calls" {
	mmap_life udp
}

@test "masked: mmap: sticky flows" {
	export REUSEPORT_DISABLE=mmap
	here_udp
	begin 3 --sticky --flows 1024 --policy consistent
	start_flows --flows 100 --rate 1000
	join
	phase joined
	use "hash"
	release 0
	stop_flows
	nothing_lost
	none_moved
	equal "$(sticky .flows)" 1024
	[ "$(sticky .occupied)" -ge 100 ]
}

# Commands that meet each other and a keeper that sees joins and leaves.
@test "masked: mmap: changes at the same time are not lost" {
	local round changing many
	export REUSEPORT_DISABLE=mmap
	here tcp
	begin 4 --policy weighted
	# Small weights, so that nobody is left out by chance in the end.
	rounds many 5 2
	for round in $(seq "$many"); do
		round=$((2 - round % 2))
		weight "cookie:${worker_ids[0]}" $((round + 1)) &
		changing=($!)
		weight "cookie:${worker_ids[1]}" $((round + 2)) &
		changing+=($!)
		ctl drain --port 8080 "cookie:${worker_ids[2]}" >/dev/null &
		changing+=($!)
		start_worker --port 8080
		stop "$worker_pid"
		wait "${changing[@]}"
		equal "$(status 8080 tcp "[.workers[] | select(.cookie == ${worker_ids[0]}) | .weight] | add")" \
			$((round + 1)) "first weight"
		equal "$(status 8080 tcp "[.workers[] | select(.cookie == ${worker_ids[1]}) | .weight] | add")" \
			$((round + 2)) "second weight"
		equal "$(status 8080 tcp ".workers[] | select(.cookie == ${worker_ids[2]}) | .state")" \
			draining
		ctl undrain --port 8080 "cookie:${worker_ids[2]}" >/dev/null
	done
	wait_until 3 in_sync 8080 tcp
	answered_by "${worker_ids[@]}"
}

# A while after a worker has come or gone the keeper notes that its plan has settled.
@test "masked: mmap: what is changed while the keeper notes something is not undone" {
	local round many
	export REUSEPORT_DISABLE=mmap
	here tcp
	begin 2
	rounds many 15 5
	for ((round = 1; round <= many; round++)); do
		start_worker --port 8080
		stop "$worker_pid"
		pause 0.0$((RANDOM % 6))
		use "hash --hash-key $(printf %032x "$round")"
		use "consistent --key src-prefix/$((round + 8))"
		equal "$(status 8080 tcp '"\(.policy) \(.rules.hash_key) \(.rules.key)"')" \
			"consistent $(printf %032x "$round") src-prefix/$((round + 8))" "rules in round $round"
	done
}

# --------------------------------------------------------------------- the program

@test "masked: plain-reads: every policy by probe reads" {
	export REUSEPORT_DISABLE=plain-reads
	here tcp
	life
	way reads probe
}

@test "masked: migration: every policy by plain select" {
	export REUSEPORT_DISABLE=migration
	here tcp
	life
	way migration none
	told "without migration: a listener that closes resets"
}

@test "masked: ticks: --sticky is refused, and no more than that" {
	export REUSEPORT_DISABLE=ticks
	here udp
	start_workers 2 --port 8080 --proto udp
	run ctl attach --port 8080 --proto udp --sticky
	equal "$status" 1
	[[ $output == *"sticky"*"ticks"* ]] || fail "it says: $output"
	equal "$(pins_of "$NS_INODE")" ""
	attach --port 8080 --proto udp
	answered_by "${worker_ids[@]}"
}

# ------------------------------------------------------------------ joins and leaves

polls() {
	export REUSEPORT_DISABLE=$1
	here "$2"
	begin 2
	way joins polling
	told "sockets are polled instead"
	join
	answered_by "${worker_ids[@]}" "$worker_cookies"
	leave 0
	answered_by "${worker_ids[1]}" "$worker_cookies"

	kill_keeper 8080 "$proto"
	attach --port 8080 --proto "$proto"
	leave 1
	join
}

@test "masked: bind-events: TCP workers are polled" {
	polls bind-events tcp
}

@test "masked: bind-events: UDP workers are polled" {
	polls bind-events udp
}

@test "masked: cgroup2: workers are polled" {
	polls cgroup2 udp
}

@test "masked: ring-buffer: both are polled" {
	polls ring-buffer tcp
}

# ---------------------------------------------------------------------- iterators

@test "masked: iterators: list by sock_diag" {
	export REUSEPORT_DISABLE=iterators
	here tcp
	begin 3
	way iterators false
	start_worker --port 8081 --sockets 2 --proto udp
	start_worker --port 8082 --sockets 4 --addr :: --v6only
	equal "$(ctl list --json | jq -c '.groups | sort_by(.port) | map([.proto, .addr, .port,
		.sockets, .steered, .program_known, .program.name])')" \
		'[["tcp","0.0.0.0",8080,3,true,false,"reuseport_steer"],["udp","0.0.0.0",8081,2,false,false,null],["tcp","::",8082,4,false,false,null]]'
	ctl list | grep -q '0.0.0.0:8081 .*?'
}

# Another program cannot be seen there, so what is born anew is always steered again.
@test "masked: iterators: a group that is born anew, also while nobody keeps it" {
	local pid
	export REUSEPORT_DISABLE=iterators
	here tcp
	begin 2
	for pid in "${worker_pids[@]}"; do
		stop "$pid"
	done
	start_workers 2 --port 8080
	wait_until 3 in_sync 8080 tcp
	answered_by "${worker_ids[@]}"

	kill_keeper 8080 tcp
	for pid in "${worker_pids[@]}"; do
		stop "$pid"
	done
	start_workers 3 --port 8080
	attach --port 8080
	answered_by "${worker_ids[@]}"
}

@test "masked: iterators: explain follows the table" {
	local worker
	export REUSEPORT_DISABLE=iterators
	here tcp
	begin 3 --policy consistent
	worker=$(ctl explain --src 127.0.0.1:40000 --dst 127.0.0.1:8080 --json |
		jq -r '.workers[0].cookie // .chances[0].cookie')
	[ -n "$worker" ] && [ "$worker" != null ]
}

# ----------------------------------------------------------------------- the rest

@test "masked: test-run: drain works, and waits for UDP but not for TCP" {
	export REUSEPORT_DISABLE=test-run
	here tcp
	begin 2
	run ctl drain --port 8080 --wait --timeout 5 "cookie:${worker_ids[0]}"
	equal "$status" 1
	[[ $output == *"handshakes"*"test-run"* ]] || fail "it says: $output"
	answered_by "${worker_ids[1]}"

	here udp
	begin 2
	ctl drain --port 8080 --proto udp --wait --timeout 5 "cookie:${worker_ids[0]}"
	answered_by "${worker_ids[1]}"
}

@test "masked: netns-cookie: joins, leaves and adoption" {
	export REUSEPORT_DISABLE=netns-cookie
	here udp
	begin 2
	join
	leave 0
	kill_keeper 8080 udp
	attach --port 8080 --proto udp
	answered_by "${worker_ids[1]}" "$worker_cookies"
}

@test "masked: detach: refused, and steering goes on" {
	here tcp
	begin 2
	REUSEPORT_DISABLE=detach run ctl detach --port 8080
	equal "$status" 1
	[[ $output == *"SO_DETACH_REUSEPORT_BPF"* ]] || fail "it says: $output"
	answered_by "${worker_ids[@]}"
}

@test "masked: all that is not needed, at once" {
	REUSEPORT_DISABLE=$("$REUSEPORTCTL" features --json 3>&- |
		jq -r '[.features[] | select(.needed or .name == "detach" | not) | .name] | join(",")')
	export REUSEPORT_DISABLE
	here tcp
	life
	equal "$(status 8080 tcp '.ways | tojson')" \
		'{"iterators":false,"joins":"polling","migration":"none","reads":"probe","tables":"system calls"}'
}

# ---------------------------------------------------------------- what is needed

@test "masked: what is needed: attach is refused with the reason, and nothing changed" {
	local feature
	start_worker --port 8080
	for feature in $("$REUSEPORTCTL" features --json 3>&- | jq -r '.features[] | select(.needed) | .name'); do
		REUSEPORT_DISABLE=$feature run ctl attach --port 8080
		equal "$status" 1 "$feature"
		[[ $output == "reuseportctl: cannot steer: it needs "*"'$feature'" ]] ||
			fail "of $feature it says: $output"
		equal "$(pins_of "$NS_INODE")" "" "pins"
	done
	equal "$("$REUSEPORTCTL" features --json 3>&- | jq '[.features[] | select(.needed)] | length')" 4
}
