#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Workers that control themselves by socket options: as another user without capabilities, with a
# keeper that runs as root.
load ../cli/common.bash
load ../bash/policies.bash
load ../bash/flows.bash
load ../bash/sockopt_workers.bash

EPERM=1
EEXIST=17
EINVAL=22
ENOPROTOOPT=92
ENOTCONN=107

setup() {
	begin_test
	skip_without socket-options
}

teardown() {
	local pid
	for pid in "${asker_pids[@]}"; do kill -CONT "$pid" 2>/dev/null || true; done
	if [ -n "${stopped:-}" ]; then kill -CONT "$stopped" 2>/dev/null || true; fi
	end_test
}

stop_keeper() {
	stopped=$(keeper_pid 8080 "$proto")
	kill -STOP "$stopped"
}

go_on_keeper() {
	kill -CONT "$stopped"
	stopped=
}

# gets_nothing I N: none of N requests.
gets_nothing() {
	local before
	served_by "$1"
	before=$served
	ask "$2" >/dev/null || fail "not all answered"
	served_by "$1"
	equal "$served" "$before" "served by asker $1"
}

# gets_some I N
gets_some() {
	local before
	served_by "$1"
	before=$served
	ask "$2" >/dev/null || fail "not all answered"
	served_by "$1"
	[ "$served" -gt "$before" ] || fail "asker $1 gets nothing"
}

# ------------------------------------------------------------------- each option

ready_and_drain() {
	begin_askers 3 --admit manual
	# Who came before the attach is served.
	becomes 0 "$ACTIVE"
	start_asker --port 8080 --proto "$proto"
	becomes 3 "$JOINING"
	gets_nothing 3 60
	answers 3 0 "$READY" 1
	takes_effect 3 1
	equal "$state" "$ACTIVE"
	gets_some 3 100
	answers 3 0 "$DRAIN" 1
	takes_effect 3 2
	equal "$state" "$DRAINING"
	gets_nothing 3 60
	answers 3 0 "$DRAIN" 0
	takes_effect 3 3
	gets_some 3 100
	# Taken back.
	answers 3 0 "$READY" 0
	takes_effect 3 4
	equal "$state" "$JOINING"
	gets_nothing 3 60
	equal "$(status 8080 "$proto" '[.workers[].state] | sort | unique_by(.) | join(" ")')" "active joining"
	balanced 8080 "$proto"
}

# begin_askers N ATTACH_ARGS...
begin_askers() {
	local n=$1
	shift
	start_askers "$n" --port 8080 --proto "$proto"
	attach --port 8080 --proto "$proto" "$@"
}

@test "sockopt: ready and drain, TCP" {
	here tcp
	ready_and_drain
}

@test "sockopt: ready and drain, UDP" {
	here udp
	ready_and_drain
}

@test "sockopt: ready changes nothing under automatic admission, but takes back" {
	here tcp
	begin_askers 2
	becomes 0 "$ACTIVE"
	answers 0 0 "$READY" 1
	takes_effect 0 1
	equal "$state" "$ACTIVE"
	answers 0 0 "$READY" 0
	takes_effect 0 2
	equal "$state" "$JOINING"
	gets_nothing 0 40
	answers 0 0 "$READY" 1
	takes_effect 0 3
	gets_some 0 60
}

@test "sockopt: the weight" {
	here tcp
	begin_askers 2 --policy weighted
	answers 0 0 "$WEIGHT" 0
	takes_effect 0 1
	equal "$weight" 0
	equal "$(status 8080 tcp "[.workers[] | select(.cookie == ${asker_ids[0]})][0].weight")" 0
	gets_nothing 0 40
	answers 0 "$EINVAL" "$WEIGHT" 1001
	answers 0 "$EINVAL" "$WEIGHT" -1
	answers 0 0 "$WEIGHT" 5
	takes_effect 0 2
	equal "$weight" 5
	# An operator's word counts as well, and is seen.
	ctl weight --port 8080 "cookie:${asker_ids[0]}" 9
	weighs_nine() { state_of 0; [ "$weight" = 9 ]; }
	wait_until 10 weighs_nine
}

@test "sockopt: an id is unique within a generation" {
	here tcp
	begin_askers 2
	answers 0 0 "$ID" 7
	takes_effect 0 1
	equal "$id" 7
	equal "$(status 8080 tcp "[.workers[] | select(.cookie == ${asker_ids[0]}).id]" | jq -c .)" "[7]"
	answers 1 "$EEXIST" "$ID" 7
	answers 0 0 "$ID" 8
	takes_effect 0 2
	# The first one is free again.
	answers 1 0 "$ID" 7
	takes_effect 1 1
	ctl rollout begin --port 8080
	start_asker --port 8080 --set "$ID=7"
	becomes 2 "$JOINING"
	has_id() { state_of 2; [ "$id" = 7 ] && [ "$generation" -gt 0 ]; }
	wait_until 10 has_id
	# Who leaves gives it up.
	stop "${asker_pids[1]}"
	free_again() { say 0 "$ID" 7; [ "$said" = 0 ]; }
	wait_until 10 free_again
}

@test "sockopt: what is asked before bind() holds with the first plan" {
	here tcp
	begin_askers 2 --admit manual
	start_asker --port 8080 --set "$READY=1" --set "$WEIGHT=3" --set "$ID=5"
	becomes 2 "$ACTIVE"
	takes_effect 2 3
	equal "$weight $id" "3 5"
	start_asker --port 8080 --set "$READY=1" --set "$DRAIN=1"
	becomes 3 "$DRAINING"
	gets_nothing 3 40
	gets_some 2 100
}

@test "sockopt: what was asked before the attach holds with it" {
	here tcp
	# Other groups are steered, so the programs are there.
	start_worker --port 8090
	attach --port 8090
	start_asker --port 8080 --set "$DRAIN=1"
	start_asker --port 8080
	answers 1 "$ENOTCONN" "$DRAIN" 1
	attach --port 8080
	becomes 0 "$DRAINING"
	becomes 1 "$ACTIVE"
	gets_nothing 0 40
}

@test "sockopt: a group that keeps itself, in the foreground" {
	local keeper
	here tcp
	start_askers 2 --port 8080
	spawn "$BATS_TEST_TMPDIR/keeper.log" "$REUSEPORTCTL" attach --port 8080 --foreground
	keeper=$spawned
	becomes 0 "$ACTIVE"
	answers 0 0 "$DRAIN" 1
	takes_effect 0 1
	gets_nothing 0 40
	stop "$keeper"
	ctl detach --port 8080
	# The programs have gone with it, unless other tests have theirs.
	say 0 "$DRAIN" 0
	[ "$said" = "$ENOTCONN" ] || [ "$said" = "$ENOPROTOOPT" ] || fail "the answer is $said"
}

# ------------------------------------------------------------------- attach's own

@test "sockopt: --no-sockopt" {
	here tcp
	begin_askers 2 --no-sockopt
	equal "$(status 8080 tcp '"\(.sockopt) \(.workers[0].id)"')" "false null"
	becomes 0 "$ACTIVE"
	answers 0 "$EPERM" "$DRAIN" 1
	answers 0 "$EPERM" "$READY" 0
	start_asker --port 8080 --set "$DRAIN=1"
	becomes 2 "$ACTIVE"
	refused 1 ctl attach --port 8080 --no-sockopt --policy consistent
	ctl detach --port 8080
	attach --port 8080
	refused 1 ctl attach --port 8080 --no-sockopt
	says "no-sockopt off instead of on"
}

@test "sockopt: --wait-ready" {
	here tcp
	run --separate-stderr ctl attach --port 8080 --wait-ready
	equal "$status ${stderr%%$'\n'*}" \
		"2 reuseportctl attach: --wait-ready requires --admit manual"
	begin_askers 3 --admit manual --wait-ready
	becomes 0 "$JOINING"
	# Until the first is ready the kernel picks among all.
	ask 60 >/dev/null
	[ "$(status 8080 tcp .counters.fallbacks.nobody)" -ge 60 ]
	answers 1 0 "$READY" 1
	takes_effect 1 1
	gets_nothing 0 30
	gets_nothing 2 30
	ctl admit --port 8080
	becomes 2 "$ACTIVE"
	gets_some 2 60
}

# ---------------------------------------------------------------- without a keeper

@test "sockopt: a drain holds while the keeper is stopped" {
	local before
	here tcp
	begin_askers 3
	becomes 0 "$ACTIVE"
	stop_keeper
	answers 0 0 "$DRAIN" 1
	sleep 0.01
	gets_nothing 0 60
	state_of 0
	equal "$seq" 0 "requests in effect"
	# A notice that the ring has no room for is no request that is lost.
	answers 1 done flood 2000
	answers 1 0 "$READY" 1
	answers 1 0 "$DRAIN" 1
	gets_nothing 1 60
	before=$seq
	go_on_keeper
	takes_effect 0 1
	becomes 1 "$DRAINING"
	gets_nothing 0 30
	balanced 8080 tcp
}

@test "sockopt: a keeper that is killed, and the next one" {
	local keeper
	here udp
	begin_askers 3 --sticky
	answers 0 0 "$DRAIN" 1
	takes_effect 0 1
	keeper=$(keeper_pid 8080 udp)
	kill -KILL "$keeper"
	wait_until 10 gone "$keeper"
	answers 1 0 "$DRAIN" 2
	gets_nothing 1 60
	gets_nothing 0 60
	ctl attach --port 8080 --proto udp
	takes_effect 1 1
	equal "$state" "$LEAVING"
	state_of 0
	equal "$state $seq" "$DRAINING 1"
	gets_nothing 0 30
}

# A command without a keeper.
@test "sockopt: what an operator does is read, with a keeper and without" {
	local keeper
	here tcp
	begin_askers 2
	# Sooner than the keeper looks by itself, which is every five seconds.
	for _ in 1 2 3; do
		ctl drain --port 8080 "cookie:${asker_ids[0]}" >/dev/null
		wait_until 1 has_state 0 "$DRAINING"
		ctl undrain --port 8080 "cookie:${asker_ids[0]}" >/dev/null
		wait_until 1 has_state 0 "$ACTIVE"
	done
	ctl drain --port 8080 "cookie:${asker_ids[0]}" >/dev/null
	becomes 0 "$DRAINING"
	keeper=$(keeper_pid 8080 tcp)
	kill -KILL "$keeper"
	wait_until 10 gone "$keeper"
	ctl undrain --port 8080 >/dev/null
	becomes 0 "$ACTIVE"
}

# ------------------------------------------------------------------------ a rollover

# roll_over: four new workers say that they are ready, the four old ones drain.
roll_over() {
	local i
	start_askers 4 --port 8080 --proto "$proto" "${buffer[@]}"
	for i in 4 5 6 7; do
		becomes "$i" "$JOINING"
		served_by "$i"
		equal "$served" 0 "served by asker $i before it was ready"
	done
	for i in 4 5 6 7; do say "$i" sync "$READY" 1; done
	for i in 0 1 2 3; do say "$i" sync "$DRAIN" "$1"; done
	for i in 0 1 2 3; do
		# What has come before is served first.
		wait_until 10 queue_is_empty "$i"
		served_by "$i"
		old_served[i]=$served
	done
}

queue_is_empty() {
	local all
	say "$1" state
	read -ra all <<<"$said"
	[ "${all[5]} ${all[6]}" = "0 0" ]
}

old_get_nothing() {
	local i
	for i in 0 1 2 3; do
		served_by "$i"
		equal "$served" "${old_served[i]}" "served by asker $i after its drain"
		stop "${asker_pids[i]}"
	done
}

@test "sockopt: four roll over to four under load, TCP" {
	declare -a old_served buffer=()
	here tcp
	begin_askers 4 --admit manual
	start_load --to "$to" --rate 1000
	roll_over 1
	sleep 0.5
	old_get_nothing
	sleep 0.3
	stop_load
	load_is '.sent == .ok'
	in_sync 8080 tcp
	balanced 8080 tcp
}

@test "sockopt: four roll over to four under load, sticky UDP flows" {
	declare -a old_served buffer=(--buffer 16777216)
	local i
	here_udp
	ASKER_WRAP=(env)
	start_askers 4 --port 8080 --proto udp "${buffer[@]}"
	attach --port 8080 --proto udp --admit manual --sticky
	start_flows --flows 200 --rate $((2000 / RP_THIN))
	whole_round
	for i in 0 1 2 3; do may_end "${asker_ids[i]}"; done
	roll_over 2
	whole_round
	old_get_nothing
	whole_round
	stop_flows
	nothing_lost
	# The old ones have released theirs one after the other.
	flows_are '.moved_live == 0 and .moved >= 200'
}

@test "sockopt: from a container" {
	local i
	here tcp
	ASKER_WRAP=(setpriv --reuid 65534 --regid 65534 --clear-groups unshare --user --pid --mount
		--fork --kill-child --map-root-user)
	begin_askers 2 --admit manual
	start_asker --port 8080
	becomes 2 "$JOINING"
	answers 2 0 "$READY" 1
	takes_effect 2 1
	gets_some 2 60
	answers 0 0 "$DRAIN" 1
	takes_effect 0 1
	gets_nothing 0 40
	# unshare waits for its child otherwise.
	kill -KILL "${asker_pids[@]}"
}

# ------------------------------------------------------------------------- strangers

# Five of the group's user and five of another, who are in no group that is steered.
@test "sockopt: a flood of options delays nobody, and changes what is its own only" {
	local i rss keeper noisy=(1 2 3 4 5 6 7 8 9 10)
	here tcp
	begin_askers 6
	ASKER_WRAP=(setpriv --reuid 65533 --regid 65533 --clear-groups --inh-caps=-all
		--bounding-set=-all --no-new-privs)
	start_askers 5 --port 8091
	start_worker --port 8090
	attach --port 8090
	keeper=$(keeper_pid 8080 tcp)
	becomes 0 "$ACTIVE"
	rss=$(awk '/^VmRSS/ { print $2 }' "/proc/$keeper/status")
	for i in 1 2; do echo "flood $((1000000 / RP_THIN))" >&"${asker_to[i]}"; done
	for i in 3 4 5 6 7 8 9 10; do echo "noise $((500000 / RP_THIN))" >&"${asker_to[i]}"; done
	for i in 1 2 3 4 5; do
		start_worker --port 8090
		wait_until 5 in_sync 8090 tcp
	done
	state_of 0
	equal "$state $weight $seq" "$ACTIVE 1 0" "the one that asks for nothing"
	for i in "${noisy[@]}"; do
		wait_until 60 asker_has_said "$i"
		asker_said[i]=$((asker_said[i] + 1))
	done
	equal "$(status 8080 tcp .keeper.pid)" "$keeper"
	equal "$(status 8090 tcp '[.workers[].state] | unique | join(" ")')" active
	# The sanitizer keeps what was freed.
	[ -n "${RP_SANITIZED:-}" ] ||
		[ "$(awk '/^VmRSS/ { print $2 }' "/proc/$keeper/status")" -lt $((rss + 4096)) ] ||
		fail "the keeper has grown from $rss KB"
	gets_some 0 60
	# Who has asked for it is heard again.
	for i in 1 2; do
		say "$i" "$DRAIN" 0
		say "$i" "$WEIGHT" 1
		say "$i" "$READY" 1
		becomes "$i" "$ACTIVE"
	done
}
