#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the last version of an older ABI has attached is carried over by this one under
# traffic: nothing is lost, no flow moves, and workers keep slot, counters, weight, state and
# generation. Killed half-way, the next attach finishes it, and a detach takes all away.
load ../bash/lib.bash
load ../bash/policies.bash
load ../bash/flows.bash
load ../bash/older.bash

setup() {
	skip_if_sanitized "the older version has no sanitizers; cli/damaged.bats has the commands"
	begin_test
	older_version 4
}

teardown() {
	end_test
}

# What must stay: of each worker, all but what it has been given meanwhile.
kept() {
	REUSEPORTCTL=${1:-$REUSEPORTCTL} look 8080 "$proto" | jq -c '.groups[0]
		| {pin, policy, slots, rollout: (.rollout | {phase, serving, other}), workers: [.workers[]
			| {slot, cookie, pid, state, weight, generation}]}'
}

# What each worker was given, by slot.
given() {
	REUSEPORTCTL=${1:-$REUSEPORTCTL} look 8080 "$proto" | jq -c '[.groups[0].workers[].selected]'
}

program_of() {
	bpftool -j prog show pinned "$(pin)/program" | jq .id
}

pin() {
	compgen -G "/sys/fs/bpf/reuseport/$proto-*-8080-$NS_INODE*"
}

version_of() {
	bpftool -j map dump pinned "$(pin)/attachment" | jq '.[0].formatted.value.abi_version'
}

# The group has the program that is pinned; only names of this version are pinned.
is_new() {
	equal "$(version_of)" 5 "ABI version"
	equal "$(status 8080 "$proto" .program.attached)" true attached
	equal "$(ls "$(pin)" | grep next_ || true)" "" "names of an upgrade"
}

# attach_older ARGS...; sets $keeper.
attach_older() {
	older attach --port 8080 --proto "$proto" "$@"
	keeper=$(REUSEPORTCTL=$OLDER keeper_pid 8080 "$proto")
}

# upgrade ARGS...: carries over, and compares what must stay.
upgrade() {
	local before program counted
	before=$(kept "$OLDER") counted=$(given "$OLDER") program=$(program_of)
	run --separate-stderr ctl attach --port 8080 --proto "$proto" "$@"
	equal "$status" 0 "$stderr"
	[[ $output == *adopted* ]] || fail "it says: $output"
	record_bpf
	equal "$(kept)" "$before" "slots, cookies, states, weights, generations"
	jq -en --argjson a "$counted" --argjson b "$(given)" \
		'[$a, $b] | transpose | all(.[0] <= .[1])' >/dev/null || fail "$counted, then $(given)"
	is_new
	[ "$(program_of)" != "$program" ] || fail "the old program is pinned"
	wait_until 5 gone "$keeper"
	[ "$(keeper_pid 8080 "$proto")" != "$keeper" ] || fail "the old keeper"
}

detached() {
	ctl detach --port 8080 --proto "$proto"
	equal "$(pin || true)" "" pins
}

@test "upgrade: TCP under load, with weights, a drained worker, a generation that waits" {
	here tcp
	start_workers 4 --port 8080
	attach_older --policy consistent
	older weight --port 8080 slot:1 3 >/dev/null
	older drain --port 8080 "cookie:${worker_ids[2]}" >/dev/null
	older rollout --port 8080 begin >/dev/null
	start_worker --port 8080
	REUSEPORTCTL=$OLDER wait_until 5 in_sync 8080 tcp
	start_load --to 127.0.0.1:8080 --rate 1000
	pause 0.3
	upgrade
	pause 0.3
	# The new keeper follows joins and leaves; the generation that waited serves.
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	ctl rollout --port 8080 switch >/dev/null
	pause 0.3
	stop_load
	no_failed_request
	load_is ".workers[\"$worker_cookies\"] > 0"
	load_is ".workers[\"${worker_ids[2]}\"] == null"
	balanced 8080 tcp
	stop "$worker_pid"
	wait_until 5 in_sync 8080 tcp
	detached
}

@test "upgrade: sticky UDP flows" {
	local n
	here_udp
	start_workers 4 --port 8080 --proto udp "${listen[@]}"
	attach_older --policy consistent --sticky
	n=$(packets_of 1000)
	start_flows --flows "$n" --rate $((5000 / RP_THIN))
	older drain --port 8080 --proto udp "cookie:${worker_ids[1]}" >/dev/null
	whole_round
	phase upgrade
	upgrade
	whole_round
	phase join
	start_worker --port 8080 --proto udp "${listen[@]}"
	joined
	whole_round
	stop_flows
	nothing_lost
	none_moved
	flows_are ".moved == 0"
	all_steered
	equal "$(sticky '"\(.entered) \(.occupied) \(.evicted) \(.moved)"')" "$n $n 0 0"
	# A drained worker has kept its own.
	[ "$(in_phase join ".workers[\"${worker_ids[1]}\"]")" -gt 0 ]
	detached
}

@test "upgrade: plain UDP, and what attach was not given stays" {
	here_udp
	start_workers 3 --port 8080 --proto udp "${listen[@]}"
	attach_older --policy weighted --slots 20 --admit manual
	older weight --port 8080 --proto udp slot:0 5 >/dev/null
	start_flows --fresh --rate $((5000 / RP_THIN))
	pause 0.3
	upgrade --policy weighted
	pause 0.3
	stop_flows
	nothing_lost
	balanced 8080 udp
	start_worker --port 8080 --proto udp "${listen[@]}"
	wait_until 5 in_sync 8080 udp
	equal "$(status 8080 udp ".workers[] | select(.cookie == $worker_cookies).state")" joining
	detached
}

@test "upgrade: without a keeper, without workers" {
	here tcp
	start_workers 2 --port 8080
	attach_older
	kill -KILL "$keeper"
	wait_until 5 gone "$keeper"
	upgrade
	# Left by all its workers, it is of the old version again: as a new one.
	detached
	attach_older
	kill -KILL "$keeper"
	wait_until 5 gone "$keeper"
	stop "${worker_pids[0]}"
	stop "${worker_pids[1]}"
	start_worker --port 8080
	start_worker --port 8080
	ctl attach --port 8080
	wait_until 5 in_sync 8080 tcp
	is_new
	client --to 127.0.0.1:8080 --count 20 >/dev/null
	detached
}

@test "upgrade: what cannot be carried over stays as it is" {
	local before program
	here tcp
	start_workers 2 --port 8080
	attach_older --slots 8
	before=$(kept "$OLDER") program=$(program_of)
	run --separate-stderr ctl weight --port 8080 slot:0 2
	equal "$status" 1
	[[ $stderr == *"ABI version 4, this is version 5: attach to carry them over"* ]] ||
		fail "it says: $stderr"
	run --separate-stderr ctl attach --port 8080 --slots 9
	equal "$status" 1
	[[ $stderr == *"has 8 slots"* ]] || fail "it says: $stderr"
	run --separate-stderr env REUSEPORT_DISABLE=sk-reuseport "$REUSEPORTCTL" attach --netns "$NS" --port 8080
	equal "$status" 1
	equal "$(kept "$OLDER")" "$before"
	equal "$(program_of)" "$program" program
	equal "$(REUSEPORTCTL=$OLDER keeper_pid 8080 tcp)" "$keeper" keeper
	# A keeper that does not end.
	kill -STOP "$keeper"
	run --separate-stderr ctl attach --port 8080
	kill -CONT "$keeper"
	equal "$status" 1
	[[ $stderr == *"process $keeper, does not end"* ]] || fail "it says: $stderr"
	pause 0.2
	equal "$(REUSEPORTCTL=$OLDER keeper_pid 8080 tcp)" "$keeper" keeper
	equal "$(kept "$OLDER")" "$before"
	# As it has always been able to.
	detached
	wait_until 5 gone "$keeper"
}

@test "upgrade: from maps that cannot be mapped, and by a process without that" {
	here tcp
	start_workers 2 --port 8080
	REUSEPORT_DISABLE=mmap,migration,plain-reads attach_older --policy consistent
	upgrade
	detached
	attach_older --policy consistent
	export REUSEPORT_DISABLE=mmap,migration,ring-buffer
	upgrade
	unset REUSEPORT_DISABLE
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	detached
}

@test "upgrade: what has no keeper, by the host's keeper" {
	local before
	here tcp
	start_workers 2 --port 8080
	attach_older --policy consistent
	kill -KILL "$keeper"
	wait_until 5 gone "$keeper"
	before=$(kept "$OLDER")
	spawn "$BATS_TEST_TMPDIR/keeper.log" "$REUSEPORTCTL" keeper
	wait_until 5 version_is_new
	record_bpf
	is_new
	equal "$(kept)" "$before"
	equal "$(keeper_pid 8080 tcp)" "$spawned" keeper
	detached
	stop "$spawned"
}

version_is_new() {
	[ "$(version_of)" = 5 ]
}

# --------------------------------------------------------------- killed half-way

# finished ROUND: every other time by a detach.
finished() {
	client --to 127.0.0.1:8080 --count 20 >/dev/null
	if [ $(($1 % 2)) -eq 0 ]; then
		ctl attach --port 8080 || [ "$(status 8080 tcp .keeper.running)" = true ]
		record_bpf
		is_new
		wait_until 5 in_sync 8080 tcp
		balanced 8080 tcp
	fi
	detached
	equal "$(ctl list --json | jq -r '.groups[].program // empty')" "" "the group's program"
}

@test "upgrade: killed between any two of the steps, then attach or detach" {
	local at round
	command -v strace >/dev/null || skip "strace is not installed"
	here tcp
	start_workers 2 --port 8080
	start_load --to 127.0.0.1:8080 --rate 200
	for at in 1 2 3 4 5; do
		for round in 0 1; do
			attach_older
			in_ns strace -qq -o /dev/null -e trace=renameat -e "inject=renameat:signal=KILL:when=$at" \
				"$REUSEPORTCTL" attach --netns "$NS" --port 8080 3>&- && fail "not killed at $at"
			finished "$round"
		done
	done
	stop_load
	no_failed_request
}

@test "upgrade: killed at many moments, then attach or detach" {
	local round rounds begin ms pid
	rounds rounds 40 6
	here tcp
	start_workers 2 --port 8080
	start_load --to 127.0.0.1:8080 --rate 200
	attach_older
	begin=$(now_ms)
	ctl attach --port 8080
	ms=$(($(now_ms) - begin))
	detached
	for ((round = 0; round < rounds; round++)); do
		attach_older
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 >/dev/null 2>&1 3>&- &
		pid=$!
		pause "$(printf '%d.%03d' $((ms * round / rounds / 1000)) $((ms * round / rounds % 1000)))"
		kill -KILL "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
		finished "$round"
	done
	stop_load
	no_failed_request
}
