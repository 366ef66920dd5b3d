#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# doctor: each fault is made for real and found, by its name, and the command that the finding
# names mends it. A healthy host gives no warning.
load ../cli/common.bash
load ../bash/doctor.bash

setup_file() {
	build_foreign
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# ------------------------------------------------------------------- healthy

@test "doctor: a healthy host gives no warning" {
	local at
	start_workers 3 --port 8080
	start_workers 3 --port 8080 --proto udp
	start_workers 2 --port 8081 --addr ::
	start_worker --port 8082 --fork 3
	attach --port 8080 --proto any
	attach --port 8081 --policy weighted
	attach --port 8082 --policy least-queue
	client --to 127.0.0.1:8080 --count 300 >/dev/null
	client --to 127.0.0.1:8080 --proto udp --count 300 >/dev/null
	client --to 127.0.0.1:8082 --count 30 >/dev/null
	at=$(now_ms)
	doctor 0
	echo "$(($(now_ms) - at)) ms"
	equal "$(jq '[.findings[] | select(.group)] | length' <<<"$findings")" 0 "about groups"
	doctor 0 --port 8080
	doctor 0 --port 8080 --proto udp
	run -0 --separate-stderr ctl doctor --port 8080
}

@test "doctor: no such group, wrong usage, and what it may not look at" {
	run --separate-stderr ctl doctor --port 8080 --json
	equal "$status" 3
	equal "$output" ""
	run --separate-stderr ctl doctor --port 8080 --proto sctp
	equal "$status" 2
	run --separate-stderr ctl doctor --netns rp-none
	equal "$status" 1
	run --separate-stderr setpriv --bounding-set -all --inh-caps -all "$REUSEPORTCTL" doctor
	equal "$status" 1
	[[ $stderr == *CAP_BPF* ]] || fail "$stderr"
}

@test "doctor: as text, with names that nobody chose for it" {
	local name
	printf -v name 'evil\e[31m'
	start_named "$name" --port 8080 --sockets 2
	attach --port 8080
	ctl drain --port 8080 slot:0
	run ctl doctor --port 8080
	equal "$status" 4
	[[ $output == *"warning drain-standing: tcp 0.0.0.0:8080"* ]] || fail "$output"
	[[ $output == *"mend: reuseportctl undrain --port 8080"* ]] || fail "$output"
	! grep -q $'\e' <<<"$output" || fail "raw: $output"
	ctl undrain --port 8080 slot:0
	kill -STOP "$worker_pid"
	spawn /dev/null "$HELPERS/queue" --to 127.0.0.1:8080 --count 2
	wait_until 5 waits 8080
	run ctl doctor --port 8080
	kill -CONT "$worker_pid"
	[[ $output == *"worker-hung"*'evil\x1b[31m'* ]] || fail "$output"
	! grep -q $'\e' <<<"$output" || fail "raw: $output"
}

waits() {
	[ "$(ctl status --port "$1" --proto "${2:-tcp}" --json | jq '[.groups[].workers[].queue] | add')" -gt 0 ]
}

# ------------------------------------------------------- program and keeper

@test "doctor: program-foreign" {
	local id
	start_workers 3 --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	id=$(foreign "${worker_pids[0]}" pass)
	doctor 4 --port 8080
	found program-foreign error
	equal "$(of program-foreign .evidence.program_id)" "$id"
	equal "$(of program-foreign .evidence.program_name)" foreign_pass
	equal "$(of program-foreign '.group | "\(.proto) \(.addr) \(.port) \(.netns)"')" \
		"tcp 0.0.0.0 8080 $NS_INODE"
	mended program-foreign 0 --port 8080
}

@test "doctor: program-lost, keeper-dead" {
	start_workers 3 --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	doctor 4 --port 8080
	found keeper-dead warning
	not_found program-lost
	mended keeper-dead 0 --port 8080
	kill_keeper 8080 tcp
	# All workers start again: another group, without a program.
	for pid in "${worker_pids[@]}"; do
		stop "$pid"
	done
	doctor 4 --port 8080
	found no-workers warning
	start_workers 3 --port 8080
	doctor 4 --port 8080
	found program-lost error
	found keeper-dead warning
	mended program-lost 0 --port 8080
	not_found keeper-dead
}

@test "doctor: keeper-stopped" {
	start_workers 2 --port 8080
	attach --port 8080
	kill -STOP "$(keeper_pid 8080 tcp)"
	doctor 4 --port 8080
	found keeper-stopped warning
	mended keeper-stopped 0 --port 8080
}

@test "doctor: keeper-slow" {
	local keeper
	start_workers 2 --port 8080
	attach --port 8080
	# It is no fault of its own, and looks as if it slept.
	keeper=$(keeper_pid 8080 tcp)
	freeze "$keeper" || skip "no freezer of cgroup2"
	start_worker --port 8080
	doctor 4 --port 8080
	found keeper-slow warning
	not_found keeper-stopped
	equal "$(of keeper-slow .evidence.keeper_pid)" "$keeper"
	run --separate-stderr ctl attach --port 8080
	equal "$status" 1 "of an attach that nobody follows"
	[[ $stderr == *"members without a slot: 1,"*"kill -KILL $keeper"* ]] || fail "$stderr"
	mended keeper-slow 0 --port 8080
	rmdir "$frozen"
}

# freeze PID: in a cgroup of its own, $frozen.
freeze() {
	local root
	root=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
	frozen=$root/rp-${RP_RUN:-$$}-$1
	mkdir "$frozen" 2>/dev/null && echo "$1" >"$frozen/cgroup.procs" &&
		echo 1 >"$frozen/cgroup.freeze" || return 1
}

@test "doctor: no-workers" {
	start_workers 2 --port 8080
	attach --port 8080
	stop "${worker_pids[0]}"
	stop "${worker_pids[1]}"
	doctor 4 --port 8080
	found no-workers warning
	mended no-workers 0
}

@test "doctor: pins-damaged" {
	local pin
	start_workers 2 --port 8080
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm "$pin/control"
	doctor 4 --port 8080
	found pins-damaged error
	equal "$(of pins-damaged .evidence.pin)" "$pin"
	mended pins-damaged 0 --port 8080
}

@test "doctor: program-unpinned, tcp-migrate-req, group-of-one" {
	local pin
	start_workers 2 --port 8080
	in_ns sysctl -qw net.ipv4.tcp_migrate_req=0
	doctor 0 --port 8080
	found tcp-migrate-req note
	mended tcp-migrate-req 0 --port 8080
	equal "$(in_ns sysctl -n net.ipv4.tcp_migrate_req)" 1
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm -r "$pin"
	doctor 0 --port 8080
	found program-unpinned note
	mended program-unpinned 0 --port 8080
	start_worker --port 8081
	doctor 0 --port 8081
	found group-of-one note
	attach --port 8081
	doctor 0
	found group-of-one note
	not_found tcp-migrate-req
}

# -------------------------------------------------------------------- members

@test "doctor: shadowed, by an IPv4-only group and by a more specific one" {
	start_workers 2 --port 8080 --addr ::
	attach --port 8080
	start_workers 2 --port 8080 --addr 0.0.0.0
	doctor 4 --port 8080 --addr ::
	found shadowed warning
	[[ $(of shadowed .text) == *"tcp 0.0.0.0:8080"*"all that are IPv4"* ]]
	mended shadowed 0
	start_workers 2 --port 8081 --proto udp --addr 127.0.0.2
	start_workers 2 --port 8081 --proto udp
	attach --port 8081 --proto udp --addr 0.0.0.0
	doctor 4
	found shadowed warning
	[[ $(of shadowed .text) == *"udp 127.0.0.2:8081"*"to its address"* ]]
	mended shadowed 0
	# The other way round nothing is taken.
	start_workers 2 --port 8082 --addr 127.0.0.3
	start_workers 2 --port 8082 --addr ::1
	attach --port 8082 --addr 127.0.0.3
	doctor 0
	not_found shadowed
}

@test "doctor: stranger-in-group" {
	local cgroup
	cgroup=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
	[ -n "$cgroup" ] || skip "no cgroup2"
	start_workers 3 --port 8080
	start_named other --port 8080
	attach --port 8080
	# Another executable alone, as after an upgrade, is none.
	doctor 0 --port 8080
	not_found stranger-in-group
	mkdir "$cgroup/rp-doctor-$$"
	echo "$worker_pid" >"$cgroup/rp-doctor-$$/cgroup.procs"
	doctor 0 --port 8080
	found stranger-in-group note
	equal "$(of stranger-in-group .evidence.pid)" "$worker_pid"
	[[ $(of stranger-in-group .evidence.exe) == */other ]]
	ctl rollout --port 8080 begin
	doctor 0 --port 8080
	not_found stranger-in-group
	ctl rollout --port 8080 abort
	doctor 0 --port 8080
	mend stranger-in-group
	wait_until 5 gone "$worker_pid"
	rmdir "$cgroup/rp-doctor-$$"
	doctor 0 --port 8080
	not_found stranger-in-group
}

# What most are goes by the executable and by the cgroup: the first worker is another program
# beside most, and does not make the servers in another cgroup strange.
@test "doctor: stranger-in-group names no worker of the program that most run" {
	local cgroup pid
	cgroup=$(findmnt -nt cgroup2 -o TARGET | head -n 1)
	[ -n "$cgroup" ] || skip "no cgroup2"
	start_named other --port 8080
	attach --port 8080
	start_workers 5 --port 8080
	wait_until 5 in_sync 8080 tcp
	mkdir "$cgroup/rp-doctor-$$"
	for pid in $(status 8080 tcp '.workers[-2:][].pid'); do
		echo "$pid" >"$cgroup/rp-doctor-$$/cgroup.procs"
	done
	doctor 0 --port 8080
	not_found stranger-in-group
	for pid in $(status 8080 tcp '.workers[-2:][].pid'); do
		echo "$pid" >"$cgroup/cgroup.procs"
	done
	rmdir "$cgroup/rp-doctor-$$"
}

@test "doctor: left-out" {
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_workers 2 --port 8080
	attach --port 8080
	start_worker --port 8080 --mptcp --sockets 2
	doctor 4 --port 8080
	found left-out warning
	equal "$(of left-out '"\(.evidence.reason) \(.evidence.members)"')" "mptcp 2"
	[[ $(of left-out .evidence.pids) == *"$worker_pid"* ]]
	mended left-out 0 --port 8080
	# As it was asked for.
	attach --port 8080 --partial
	doctor 0 --port 8080
	found left-out note
}

@test "doctor: unregistered, for want of slots or of a keeper" {
	start_workers 2 --port 8080
	attach --port 8080 --slots 2
	start_workers 1 --port 8080
	doctor 4 --port 8080
	found unregistered warning
	[[ $(of unregistered .text) == *--slots* ]]
	mended unregistered 0 --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	start_worker --port 8080
	doctor 4 --port 8080
	found unregistered warning
	found keeper-dead warning
	mended unregistered 0 --port 8080
}

@test "doctor: reuseaddr-only" {
	start_workers 2 --port 8080 --proto udp --reuseaddr
	doctor 4 --port 8080 --proto udp
	found reuseaddr-only warning
	equal "$(of reuseaddr-only .evidence.sockets)" 2
	# One alone shares nothing.
	start_worker --port 8081 --proto udp --reuseaddr
	run --separate-stderr ctl doctor --port 8081 --proto udp
	equal "$status" 3
}

@test "doctor: incoming-cpu" {
	start_workers 2 --port 8080 --incoming-cpu 0
	attach --port 8080
	doctor 0 --port 8080
	found incoming-cpu note
	equal "$(of incoming-cpu .evidence.workers)" 2
	# The walk of 3.9 selects, and does not know it.
	ctl policy --port 8080 linux39 >/dev/null
	doctor 0 --port 8080
	not_found incoming-cpu
	ctl policy --port 8080 hash >/dev/null
	doctor 0 --port 8080
	mended incoming-cpu 0 --port 8080
}

# --------------------------------------------------------------------- queues

@test "doctor: worker-hung" {
	local proto
	for proto in tcp udp; do
		start_workers 3 --port 8080 --proto "$proto"
		attach --port 8080 --proto "$proto"
		kill -STOP "${worker_pids[1]}"
		if [ "$proto" = tcp ]; then
			spawn /dev/null "$HELPERS/queue" --to 127.0.0.1:8080 --count 30
		else
			spawn /dev/null "$HELPERS/load" --proto udp --to 127.0.0.1:8080 --rate 50 \
				--seconds 30
		fi
		wait_until 5 waits 8080 "$proto"
		doctor 4 --port 8080 --proto "$proto"
		found worker-hung warning
		equal "$(of worker-hung '"\(.evidence.pid) \(.evidence.process_state)"')" \
			"${worker_pids[1]} T"
		mend worker-hung
		wait_until 5 no_queue 8080 "$proto"
		doctor 0 --port 8080 --proto "$proto"
		kill "$spawned" 2>/dev/null || true
		ctl detach --port 8080 --proto "$proto"
	done
}

no_queue() {
	[ "$(ctl status --port "$1" --proto "$2" --json | jq '[.groups[].workers[].queue] | add')" -eq 0 ]
}

@test "doctor: worker-hung, while others are served and packets come" {
	local slot
	start_workers 2 --port 8080
	start_worker --port 8080 --delay-ms 60000
	attach --port 8080
	start_load --to 127.0.0.1:8080 --rate 60 --seconds 60
	wait_until 5 waits 8080
	doctor 4 --port 8080
	found worker-hung warning
	equal "$(of worker-hung '"\(.evidence.pid) \(.evidence.process_state)"')" "$worker_pid S"
	slot=$(of worker-hung .evidence.slot)
	mend worker-hung
	equal "$(status 8080 tcp ".workers[] | select(.slot == $slot).state")" draining
	kill -INT "$load_pid"
}

@test "doctor: worker-unpolled" {
	local victim
	start_worker --port 8080 --fork 3
	attach --port 8080
	doctor 0 --port 8080
	victim=$(status 8080 tcp '.workers[] | select(.slot == 1).pid')
	kill -KILL "$victim"
	wait_until 5 gone "$victim"
	doctor 4 --port 8080
	found worker-unpolled warning
	equal "$(of worker-unpolled .evidence.slot)" 1
	mend worker-unpolled
	doctor 4 --port 8080
	not_found worker-unpolled
}

@test "doctor: queue-full, drops" {
	start_workers 2 --port 8080 --proto udp --buffer 4608
	attach --port 8080 --proto udp
	kill -STOP "${worker_pids[0]}"
	spawn /dev/null "$HELPERS/load" --proto udp --to 127.0.0.1:8080 --rate 400 --seconds 1
	wait "$spawned" || true
	doctor 4 --port 8080 --proto udp
	found queue-full warning
	found worker-hung warning
	# On a busy machine the other one may lose one, too.
	equal "$(of drops "select(.evidence.pid == ${worker_pids[0]}).severity")" warning
	mend queue-full
	equal "$(status 8080 udp .policy)" least-queue
	kill -CONT "${worker_pids[0]}"
	wait_until 5 no_queue 8080 udp
	doctor 4 --port 8080 --proto udp
	not_found queue-full
}

@test "doctor: queue-full, TCP" {
	in_ns sysctl -qw net.core.somaxconn=4
	start_workers 2 --port 8080
	attach --port 8080
	kill -STOP "${worker_pids[0]}"
	spawn /dev/null "$HELPERS/load" --to 127.0.0.1:8080 --rate 50 --seconds 2
	wait "$spawned" || true
	doctor 4 --port 8080
	found queue-full warning
	equal "$(of queue-full .evidence.limit)" 4
	found drops warning
	not_found listen-overflows
	mend queue-full
	kill -CONT "${worker_pids[0]}"
	wait_until 5 no_queue 8080 tcp
	doctor 4 --port 8080
	not_found queue-full
	not_found worker-hung
	# What it has lost is not forgotten with it.
	stop "${worker_pids[0]}"
	wait_until 3 in_sync 8080 tcp
	doctor 0 --port 8080
	not_found drops
	found listen-overflows note
	[ "$(of listen-overflows .evidence.listen_overflows)" -gt 0 ]
}

@test "doctor: imbalance" {
	start_workers 4 --port 8080 --proto udp
	attach --port 8080 --proto udp
	# One client sends it all.
	spawn /dev/null python3 -c 'import socket, time
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect(("127.0.0.1", 8080))
while True:
	for _ in range(5):
		s.send(b"x")
	time.sleep(0.002)'
	wait_until 10 enough_packets
	doctor 4 --port 8080 --proto udp
	found imbalance warning
	[ "$(of imbalance .evidence.packets)" -ge 1000 ]
	mend imbalance
	sleep 1
	doctor 0 --port 8080 --proto udp
	stop "$spawned"
}

enough_packets() {
	[ "$(packets 8080 udp)" -gt 2000 ]
}

# ---------------------------------------------------------------- left standing

@test "doctor: drain-standing, no-eligible-worker" {
	start_workers 2 --port 8080
	attach --port 8080
	ctl drain --port 8080 slot:1
	doctor 4 --port 8080
	found drain-standing warning
	[ "$(of drain-standing .evidence.age_s)" -ge 0 ]
	mended drain-standing 0 --port 8080
	ctl drain --port 8080 slot:0
	ctl weight --port 8080 slot:1 0
	doctor 4 --port 8080
	found no-eligible-worker error
	mended no-eligible-worker 0 --port 8080
}

@test "doctor: rollout-standing" {
	start_workers 2 --port 8080
	attach --port 8080
	ctl rollout --port 8080 begin
	doctor 0 --port 8080
	found rollout-standing note
	equal "$(of rollout-standing .evidence.phase)" begun
	mended rollout-standing 0 --port 8080
	ctl rollout --port 8080 begin
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	doctor 0 --port 8080
	mend rollout-standing
	doctor 0 --port 8080
	equal "$(of rollout-standing .evidence.phase)" switched
	stop "${worker_pids[0]}"
	stop "${worker_pids[1]}"
	wait_until 5 in_sync 8080 tcp
	doctor 4 --port 8080
	found rollout-standing warning
	mended rollout-standing 0 --port 8080
}

@test "doctor: admit-waiting" {
	start_workers 2 --port 8080
	attach --port 8080 --admit manual
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	doctor 0 --port 8080
	found admit-waiting note
	mended admit-waiting 0 --port 8080
}

@test "doctor: weights-ignored, affinity-without-effect" {
	start_workers 2 --port 8080
	attach --port 8080
	ctl weight --port 8080 slot:0 5
	doctor 4 --port 8080
	found weights-ignored warning
	mended weights-ignored 0 --port 8080
	[ "$(nproc --all)" -gt 1 ] || skip "one CPU"
	ctl policy --port 8080 cpu >/dev/null
	doctor 4 --port 8080
	found affinity-without-effect warning
	mended affinity-without-effect 0 --port 8080
}

# ---------------------------------------------------------------------- manual

# Names of findings as the manual's table has them.
documented() {
	sed -n '/^# FINDINGS/,/^# UPGRADE/s/^|  \(.*\)/\1/p' "$RP_ROOT/man/reuseportctl.8.scd" |
		tr -d ' ' | tr , '\n' | sort
}

# And as the checks give them.
given() {
	cat "$RP_ROOT"/src/lib/doctor/check_*.c | tr -d '\n' |
		grep -oE '(scene_find|find_plain|finding_add)\([^"()]*"[a-z-]+"|= "feature-[a-z-]+"' |
		grep -oE '"[a-z-]+"' | tr -d '"' | sort -u
}

@test "doctor: the manual names each finding, and each is made here" {
	local name
	diff <(documented) <(given)
	for name in $(documented); do
		case $name in
		feature-not-permitted | feature-failed) ;; # in tests/cli/features.bats
		*) grep -qE "(found|of) $name " "$BATS_TEST_FILENAME" || fail "$name is not made" ;;
		esac
	done
}

# ------------------------------------------------------------------------ host

@test "doctor: features missing, not permitted, disabled" {
	gcc -std=gnu11 -o "$BATS_TEST_TMPDIR/nosys" "$RP_ROOT/tests/helpers/nosys.c"
	start_workers 2 --port 8080
	attach --port 8080
	REUSEPORTCTL_WITH=("$BATS_TEST_TMPDIR/nosys" pidfd_getfd)
	run --separate-stderr "${REUSEPORTCTL_WITH[@]}" "$REUSEPORTCTL" doctor --netns "$NS" --json
	findings=$output
	equal "$status" 4 "exit status, with $stderr"
	equal "$(of feature-missing 'select(.evidence.feature == "pidfd-getfd").severity')" error
	REUSEPORT_DISABLE=migration doctor 0 --port 8080
	equal "$(of feature-disabled '"\(.evidence.feature) \(.severity) \(.mend)"')" \
		"migration note unset REUSEPORT_DISABLE"
}

@test "doctor: memlock-low" {
	# As before Linux 5.11, without the right to raise the limit.
	export REUSEPORT_DISABLE=memcg
	start_workers 2 --port 8080
	doctor_limited 65536
	found memlock-low warning
	equal "$(of memlock-low .evidence.memlock)" 65536
	doctor_limited 1048576
	not_found memlock-low
	doctor 0 --port 8080
	not_found memlock-low
}

doctor_limited() {
	findings=$(setpriv --bounding-set -sys_resource --inh-caps -sys_resource \
		prlimit --memlock="$1" "$REUSEPORTCTL" doctor --netns "$NS" --port 8080 --json || true)
}

@test "doctor: bpffs-missing, pins-unsafe" {
	# In a mount namespace of its own, the bpffs of the host is not seen.
	run --separate-stderr unshare -m sh -c "umount -l /sys/fs/bpf
		! mountpoint -q /sys/fs/bpf && exec '$REUSEPORTCTL' doctor --netns $NS --json"
	findings=$output
	equal "$status" 4 "exit status, with $stderr"
	found bpffs-missing warning
	equal "$(of bpffs-missing .mend)" "mount -t bpf -o mode=0700 bpf /sys/fs/bpf"
	start_workers 2 --port 8080
	attach --port 8080
	# Each test has a bpffs of its own.
	chmod 0777 /sys/fs/bpf
	doctor 4
	found pins-unsafe error
	mended pins-unsafe 0
	chmod 0777 /sys/fs/bpf/reuseport
	doctor 4
	found pins-unsafe error
	mended pins-unsafe 0
}

@test "doctor: sk-lookup" {
	skip_without ring-buffer # as old as sk_lookup, and no feature of ours
	gcc -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -o "$BATS_TEST_TMPDIR/sk_lookup" \
		"$RP_ROOT/tests/helpers/sk_lookup.c" -lbpf
	start_workers 2 --port 8080
	attach --port 8080
	doctor 0 --port 8080
	not_found sk-lookup
	spawn "$BATS_TEST_TMPDIR/sk_lookup.out" "$BATS_TEST_TMPDIR/sk_lookup"
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/sk_lookup.out"
	doctor 0 --port 8080
	found sk-lookup note
	equal "$(of sk-lookup '"\(.evidence.programs) \(.evidence.program_name)"')" "1 rp_lookup"
	stop "$spawned"
}

@test "doctor: tproxy" {
	start_workers 2 --port 8080 --proto udp --transparent
	attach --port 8080 --proto udp
	doctor 0 --port 8080 --proto udp
	found tproxy note
}

@test "doctor: optmem-low" {
	in_ns test -e /proc/sys/net/core/optmem_max || skip "not one for each namespace"
	start_workers 2 --port 8080
	attach --port 8080
	in_ns sysctl -qw net.core.optmem_max=256
	doctor 0 --port 8080
	found optmem-low note
	mended optmem-low 0 --port 8080
}
