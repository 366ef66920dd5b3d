#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# The one set of hooks: what it consists of, what it tells without a packet, what the steering
# program tells instead, and how long it lives.
load ../bash/lib.bash
load ../bash/own_cgroup.bash

HOOKS=$PINS/hooks

setup() {
	begin_test
}

teardown() {
	unshare_cgroup
	end_test
}

# followed: "PROTO PORT", one a line, of this namespace.
followed() {
	watchers_of "$NS" | sort
}

# places_of PROTO PORT: the bit mask of those that follow it.
places_of() {
	bpftool -j map dump pinned "$HOOKS/interest" | jq ".[].formatted // . |
		select(.key.proto == $([ "$1" = tcp ] && echo 6 || echo 17) and .key.port == $2).value"
}

# The keeper logs how many workers there are, when that changes.
knows() {
	logged=$(grep ' worker' "$BATS_TEST_TMPDIR/keeper.log" | tail -n 1)
	[[ $logged == *": $1 worker"* ]]
}

# soon N SINCE: waits until the keeper knows N workers, and counts in $soon whether that was
# within 1.5 s of SINCE, by the times in the log. The slow resync alone, every five seconds,
# would be so soon three times in ten.
soon() {
	local ms
	wait_until 30 knows "$1"
	ms=$(($(date -d "$(cut -d' ' -f1,2 <<<"$logged")" +%s%3N) - $2))
	echo "$1 workers: after $ms ms"
	[ "$ms" -gt 1500 ] || soon=$((${soon:-0} + 1))
}

now_ms() {
	echo $((${EPOCHREALTIME/./} / 1000))
}

no_hooks() {
	[ ! -e "$PINS" ] && [ -z "$(bpf_that_is_there)" ]
}

# ------------------------------------------------------------- what it consists of

@test "hooks: nothing but two programs at bind and two at socket options, for any number of attachments" {
	local pid type
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --proto udp
	start_workers 2 --port 8081
	attach --port 8080
	attach --port 8080 --proto udp
	attach --port 8081
	equal "$(cd "$HOOKS" && echo *)" "asked_maps bind4 bind6 control_maps getsockopt interest iter_tcp_1 \
iter_udp_1 members place0 places requests rings setsockopt sockopt_storage steered worker_ids"
	for type in 4 6; do
		equal "$(bpftool -j link show pinned "$HOOKS/bind$type" | jq -r '"\(.type) \(.attach_type)"')" \
			"cgroup cgroup_inet${type}_post_bind"
	done
	for type in setsockopt getsockopt; do
		equal "$(bpftool -j link show pinned "$HOOKS/$type" | jq -r '"\(.type) \(.attach_type)"')" \
			"cgroup cgroup_$type"
	done
	# No keeper has a link of its own, to a tracepoint or a cgroup.
	for pid in $(tools_of "$NS"); do
		equal "$(ls -l "/proc/$pid/fd" | grep -c 'bpf_link')" 0 "links"
	done
	equal "$(followed)" "$(printf 'tcp 8080\ntcp 8081\nudp 8080')"
	ctl detach --port 8080 --proto tcp
	equal "$(followed)" "$(printf 'tcp 8081\nudp 8080')"
}

# ----------------------------------------------------------------------- joins

# joins PROTO: six that come one after the other, without a packet.
joins() {
	local i
	start_workers 1 --port 8080 --proto "$1"
	attach --port 8080 --proto "$1"
	for i in 2 3 4 5 6 7; do
		start_worker --port 8080 --proto "$1"
		soon "$i" "$(now_ms)"
	done
	[ "$soon" -ge 5 ]
}

@test "hooks: joins are told without a packet, TCP" {
	joins tcp
}

@test "hooks: joins are told without a packet, UDP" {
	joins udp
}

@test "hooks: a join gets the slot of one that left without a packet" {
	local i
	start_workers 1 --port 8080
	attach --port 8080 --slots 3
	for i in 1 2 3 4 5 6; do
		start_worker --port 8080
		wait_until 10 in_sync 8080 tcp
		stop "$worker_pid"
	done
	equal "$(grep -c 'more workers than slots' "$BATS_TEST_TMPDIR/keeper.log")" 0 "complaints"
}

# Without the kernel's types none can be loaded.
@test "hooks: the commands use the iterators that are pinned" {
	local btf=/sys/kernel/btf/vmlinux
	skip_without iterators
	start_workers 2 --port 8080
	attach --port 8080
	mount --bind /dev/null "$btf"
	equal "$(ctl list --json | jq '.groups[0].program_known')" true "with them"
	rm "$HOOKS"/iter_*
	equal "$(ctl list --json | jq '.groups[0].program_known')" false "without them"
	umount "$btf"
	equal "$(ctl list --json | jq '.groups[0].program_known')" true "loaded"
	ctl detach --port 8080
}

# Two seconds after the bind, when it is looked at twice in a second.
@test "hooks: a socket that listens seconds after its bind" {
	local i out
	start_workers 1 --port 8080
	attach --port 8080
	for i in 2 3 4 5 6; do
		out=$BATS_TEST_TMPDIR/late.$i
		spawn "$out" python3 -uc '
import socket, time
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("0.0.0.0", 8080))
time.sleep(2)
s.listen()
print(int(time.time() * 1000))
time.sleep(600)'
		wait_until 30 test -s "$out"
		soon "$i" "$(cat "$out")"
	done
	[ "$soon" -ge 4 ]
}

@test "hooks: a bind elsewhere is not told" {
	start_workers 1 --port 8080
	attach --port 8080
	new_netns
	NS=$new_ns start_worker --port 8080
	start_worker --port 8081
	in_sync 8080 tcp
	equal "$(places_of tcp 8080)" 1
	equal "$(places_of tcp 8081)" ""
}

# ---------------------------------------------------------------------- leaves

# leaves PROTO: with packets, the steering program tells of each.
leaves() {
	local i
	start_workers 2 --port 8080 --proto "$1"
	attach --port 8080 --proto "$1"
	for i in 1 2 3 4 5 6; do
		start_worker --port 8080 --proto "$1"
		wait_until 30 knows 3
		stop "$worker_pid"
		client --proto "$1" --to 127.0.0.1:8080 --count 80 >/dev/null
		soon 2 "$(now_ms)"
	done
	[ "$soon" -ge 5 ]
}

@test "hooks: leaves are told with the next packet, TCP" {
	leaves tcp
}

@test "hooks: leaves are told with the next packet, UDP" {
	leaves udp
}

@test "hooks: leaves are told with the next packets by probe reads" {
	export REUSEPORT_DISABLE=plain-reads
	leaves udp
}

@test "hooks: a leave without a packet is found in a while" {
	start_workers 3 --port 8080
	attach --port 8080
	stop "$worker_pid"
	wait_until 30 knows 2
}

# -------------------------------------------------------------------- lifetimes

@test "hooks: they outlive a keeper that is killed, and the next one takes its place" {
	local before
	start_workers 2 --port 8080
	attach --port 8080
	before=$(bpftool -j link show pinned "$HOOKS/bind4" | jq .prog_id)
	kill_keeper 8080 tcp
	equal "$(followed)" "tcp 8080"
	attach --port 8080
	equal "$(places_of tcp 8080)" 1
	equal "$(bpftool -j link show pinned "$HOOKS/bind4" | jq .prog_id)" "$before"
	start_worker --port 8080
	wait_until 20 in_sync 8080 tcp
	ctl detach --port 8080
	wait_until 5 no_hooks
}

@test "hooks: what a dead keeper followed goes with the next attach" {
	start_workers 1 --port 8080
	start_workers 1 --port 8081
	attach --port 8080
	attach --port 8081 --foreground 2>/dev/null &
	record $!
	wait_until 20 eval '[ "$(places_of tcp 8081)" = 2 ]'
	kill_keeper 8080 tcp
	attach --port 8080 --foreground 2>/dev/null &
	record $!
	wait_until 20 eval '[ "$(places_of tcp 8080)" = 1 ]'
	equal "$(places_of tcp 8081)" 2
}

@test "hooks: the detach of the last attachment has removed them, a dead keeper's too" {
	start_workers 2 --port 8080
	start_workers 2 --port 8080 --proto udp
	attach --port 8080
	attach --port 8080 --proto udp
	ctl detach --port 8080 --proto udp
	[ -e "$HOOKS/bind6" ]
	kill_keeper 8080 tcp
	ctl detach --port 8080
	[ ! -e "$PINS" ]
	wait_until 5 no_hooks
}

@test "hooks: a set that was left half made, or removed by hand, is made anew" {
	start_workers 2 --port 8080
	mkdir -m 0700 "$PINS" "$HOOKS"
	attach --port 8080
	[ -e "$HOOKS/bind6" ]
	# The keeper may be at it already.
	rm -r "$HOOKS" 2>/dev/null || true
	# By the keeper, at its next resync.
	wait_until 30 test -e "$HOOKS/place0"
	start_worker --port 8080
	wait_until 30 in_sync 8080 tcp
	wait_until 30 eval '[ "$(followed)" = "tcp 8080" ]'
	# Or a part of it, by hand.
	rm "$HOOKS/bind4"
	wait_until 30 test -e "$HOOKS/bind4"
	wait_until 30 eval '[ "$(followed)" = "tcp 8080" ]'
}

@test "hooks: attach and detach at the same time leave the hooks to who needs them" {
	local i many attaching
	rounds many 20 5
	start_workers 1 --port 8080
	start_workers 1 --port 8081
	for ((i = 0; i < many; i++)); do
		ctl attach --port 8080
		ctl attach --port 8081 &
		attaching=$!
		ctl detach --port 8080
		wait "$attaching"
		equal "$(followed)" "tcp 8081" "round $i"
		ctl detach --port 8081
		[ ! -e "$PINS" ] || fail "round $i: $(ls -R "$PINS")"
	done
}

@test "hooks: an attach that fails leaves none" {
	start_worker --port 8080 --no-reuseport
	run ! ctl attach --port 8080
	run ! ctl attach --port 8081
	[ ! -e "$PINS" ]
}

# ----------------------------------------------------------------------- limits

@test "hooks: with 64 other programs in the cgroup that is the reason to poll" {
	local i
	own_cgroup
	mkdir /sys/fs/bpf/others
	for ((i = 0; i < 64; i++)); do
		bpftool prog loadall "$RP_ROOT/build/bpf/hooks.bpf.o" "/sys/fs/bpf/others/$i"
		bpftool cgroup attach "${CGROUP%/*}" cgroup_inet4_post_bind pinned \
			"/sys/fs/bpf/others/$i/hook_bind4" multi
	done
	start_workers 1 --port 8080
	attach --port 8080
	grep -q '64 other programs are there' "$BATS_TEST_TMPDIR/keeper.log"
	run ! grep 'this kernel has no' "$BATS_TEST_TMPDIR/keeper.log"
	equal "$(status 8080 tcp .ways.joins)" polling
	start_worker --port 8080
	wait_until 20 in_sync 8080 tcp
	[ ! -e "$HOOKS" ]
	equal "$("$REUSEPORTCTL" features --json | jq -r '.features[] | select(.name == "bind-events").state')" \
		available
	ctl detach --port 8080
	rm -r /sys/fs/bpf/others
}

@test "hooks: the 65th process that wants to be told polls, and says why" {
	local i fd
	start_workers 1 --port 8080
	start_workers 1 --port 8081
	attach --port 8080
	for ((i = 1; i < 64; i++)); do
		mkdir -m 0700 "$HOOKS/place$i"
		exec {fd}<"$HOOKS/place$i"
		flock -xn "$fd"
	done
	attach --port 8081 --foreground 2>/dev/null &
	record $!
	wait_until 20 grep -q '64 other processes are' "$BATS_TEST_TMPDIR/keeper.log"
	wait_until 20 eval '[ "$(status 8081 tcp .keeper.running)" = true ]'
	equal "$(status 8081 tcp .ways.joins)" polling
	equal "$(status 8080 tcp .ways.joins)" events
	start_worker --port 8081
	wait_until 20 in_sync 8081 tcp
}
