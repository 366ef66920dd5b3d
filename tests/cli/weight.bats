#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# weight: how much a worker gets, by the names that a worker has.
load common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

weights() {
	status 8080 "${1:-tcp}" '[.workers[].weight] | tojson'
}

selected() {
	status 8080 "${1:-tcp}" '[.workers[].selected] | tojson'
}

ask() {
	client --to 127.0.0.1:8080 --count "$@" >"$BATS_TEST_TMPDIR/answers"
}

# sets WORKER WEIGHT COUNT: as many workers have that weight now.
sets() {
	succeeds ctl weight --port 8080 "$1" "$2"
	equal "$output" "weight $2 for $3 worker$([ "$3" = 1 ] || echo s)"
}

# ----------------------------------------------------------------------- words

@test "weight: --help and wrong usage" {
	local args
	succeeds "$REUSEPORTCTL" weight --help
	[[ $output == *"WORKER WEIGHT"* && $output == *slot:N*pid:N*cookie:N* ]] || fail "$output"
	for args in "weight" "weight 1" "weight 1 2" "weight --port 8080" "weight --port 8080 1" \
		"weight --port 8080 1 2 3" "weight --port 8080 1 2 --key src" \
		"weight --port 8080 -1 2"; do
		run --separate-stderr "$REUSEPORTCTL" $args
		equal "$status" 2 "exit status of '$args'"
		equal "$output" "" "standard output"
	done
}

@test "weight: out of range" {
	local weight before
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted
	before=$(rules_and_workers 8080)
	for weight in 1001 99999 4294967296 18446744073709551617 x 1x '' ' 1' +1 1.5 0x10 1e2; do
		refused 2 ctl weight --port 8080 slot:0 "$weight"
		says "'$weight'" "0 to 1000"
	done
	refused 2 ctl weight --port 8080 -- slot:0 -1
	says "'-1'"
	equal "$(rules_and_workers 8080)" "$before"
	sets slot:0 1000 1
	sets slot:1 0 1
	equal "$(weights)" "[1000,0]"
}

@test "weight: words that name no worker" {
	local word before
	start_worker --port 8080
	attach --port 8080
	before=$(rules_and_workers 8080)
	for word in nginx slot slot: slot:x slot:-1 pid:abc cookie: Slot:0 slot:0x0 '' ' 0' 0, '*' \
		99999999999999999999999; do
		refused 2 ctl weight --port 8080 "$word" 5
		says "slot:N"
	done
	equal "$(rules_and_workers 8080)" "$before"
}

@test "weight: unknown workers, nothing attached" {
	local word before
	refused 3 ctl weight --port 8080 slot:0 5
	says "nothing is attached"
	start_worker --port 8080
	refused 3 ctl weight --port 8080 slot:0 5
	untouched 8080
	attach --port 8080
	before=$(rules_and_workers 8080)
	# 1 is in no slot; its pid serves nothing.
	for word in slot:1 slot:255 slot:256 slot:4294967296 pid:1 pid:0 pid:4294967295 cookie:1 \
		cookie:0 cookie:18446744073709551615 1 4294967296; do
		refused 3 ctl weight --port 8080 "$word" 5
		says "no worker has" "reuseportctl status" "${word#*:}" status
	done
	refused 3 ctl weight --port 8081 slot:0 5
	refused 3 ctl weight --port 8080 --proto udp slot:0 5
	equal "$(rules_and_workers 8080)" "$before"
}

# ----------------------------------------------------------------------- names

@test "weight: by slot, pid, cookie and number" {
	local pids cookies
	start_workers 4 --port 8080
	attach --port 8080 --policy weighted
	mapfile -t pids < <(status 8080 tcp '.workers[].pid')
	mapfile -t cookies < <(status 8080 tcp '.workers[].cookie')
	sets slot:0 2 1
	sets "pid:${pids[1]}" 3 1
	sets "cookie:${cookies[2]}" 4 1
	equal "$(weights)" "[2,3,4,1]"
	sets 3 5 1
	sets "${pids[0]}" 6 1
	sets "${cookies[1]}" 7 1
	equal "$(weights)" "[6,7,4,5]"
	# The entries follow at once.
	equal "$(status 8080 tcp .rules.table_width)" 22
}

@test "weight: all workers of a process" {
	local first
	start_worker --port 8080 --sockets 3
	first=$worker_pid
	start_worker --port 8080
	attach --port 8080 --policy weighted
	sets "pid:$first" 9 3
	equal "$(status 8080 tcp '[.workers[].weight] | sort | tojson')" "[1,9,9,9]"
	sets "$worker_pid" 0 1
	equal "$(status 8080 tcp "[.workers[] | select(.pid == $worker_pid) | .weight] | tojson")" "[0]"
}

@test "weight: in all groups that are meant" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	attach --port 8080 --policy weighted
	sets slot:0 3 2
	succeeds ctl weight --port 8080 --addr :: slot:0 4
	equal "$(ctl status --port 8080 --json |
		jq -c '.groups | sort_by(.addr) | map(.workers[0].weight)')" "[3,4]"
	# A cookie is in one group only.
	sets "cookie:$worker_cookies" 5 1
}

# Only in a PID namespace of their own do processes have numbers as small as slots.
@test "weight: a number that could be two" {
	spawn "$BATS_TEST_TMPDIR/inside" unshare --pid --fork --mount-proc --kill-child \
		env HELPERS="$HELPERS" REUSEPORTCTL="$REUSEPORTCTL" bash -c '
		"$HELPERS/worker" --port 8080 --sockets 8 >/tmp/$0.out &
		server=$!
		until grep -q ^ready /tmp/$0.out; do sleep 0.05; done
		rm /tmp/$0.out
		"$REUSEPORTCTL" attach --port 8080 --policy weighted >/dev/null || exit
		for word in $server pid:$server slot:$server 0; do
			echo "$word=$("$REUSEPORTCTL" weight --port 8080 $word 5 2>&1)=$?"
		done
		echo over $server
		sleep 30' "rp-weight-$NS"
	wait_until 15 grep -q ^over "$BATS_TEST_TMPDIR/inside"
	local pid
	pid=$(sed -n 's/^over //p' "$BATS_TEST_TMPDIR/inside")
	[ "$pid" -lt 8 ] || skip "the worker has pid $pid, and no slot has that number"
	equal "$(sed '$d' "$BATS_TEST_TMPDIR/inside")" "$(cat <<-END
		$pid=reuseportctl: '$pid' is ambiguous: use slot:$pid, pid:$pid or cookie:$pid=2
		pid:$pid=weight 5 for 8 workers=0
		slot:$pid=weight 5 for 1 worker=0
		0=weight 5 for 1 worker=0
		END
	)"
	record_bpf
}

# --------------------------------------------------------------------- effects

@test "weight: the table has the shares to the entry" {
	start_workers 3 --port 8080 --proto udp
	attach --port 8080 --proto udp --policy round-robin
	ctl weight --port 8080 --proto udp slot:0 5
	ctl weight --port 8080 --proto udp slot:1 3
	equal "$(status 8080 udp .rules.table_width)" 9
	in_ns taskset -c 0 "$HELPERS/client" --proto udp --to 127.0.0.1:8080 --count 900 >/dev/null
	equal "$(selected udp)" "[500,300,100]"
}

@test "weight: 3 to 1, by every policy that goes by weights" {
	local policy before after
	start_workers 2 --port 8080
	attach --port 8080
	ctl weight --port 8080 slot:0 3 2>/dev/null
	before=0
	for policy in consistent weighted "weighted --over consistent" cpu numa random round-robin; do
		ctl policy --port 8080 $policy
		ask 800
		after=$(status 8080 tcp '.workers[0].selected')
		# 600, within six deviations.
		((after - before > 525 && after - before < 675)) ||
			fail "$policy: $((after - before)) of 800"
		before=$after
	done
	# By those that do not, half of them.
	for policy in hash linux39 least-queue; do
		ctl policy --port 8080 $policy
		ask 800
		after=$(status 8080 tcp '.workers[0].selected')
		((after - before > 315 && after - before < 485)) ||
			fail "$policy: $((after - before)) of 800"
		before=$after
	done
	balanced 8080 tcp
}

@test "weight: 0 gets nothing by any policy" {
	local policy proto others
	for proto in tcp udp; do
		start_workers 3 --port 8080 --proto $proto
		attach --port 8080 --proto $proto
		ctl weight --port 8080 --proto $proto slot:1 0
		others=$(status 8080 $proto '.workers[] | select(.slot != 1) | .cookie' | sort -n | xargs)
		for policy in $("$REUSEPORTCTL" policy --list | cut -d' ' -f1); do
			ctl policy --port 8080 --proto $proto "$policy"
			client --proto $proto --to 127.0.0.1:8080 --count 100 >"$BATS_TEST_TMPDIR/answers"
			equal "$(answered "$BATS_TEST_TMPDIR/answers" | cut -d' ' -f1 | xargs)" \
				"$others" "workers with $policy"
		done
		equal "$(status 8080 $proto '.workers[1].selected')" 0
		equal "$(status 8080 $proto .counters.fallback)" 0
		balanced 8080 $proto
	done
}

@test "weight: 0 for all leaves the pick to the kernel, and says so" {
	start_workers 2 --port 8080
	attach --port 8080
	ctl weight --port 8080 slot:0 0
	ctl weight --port 8080 slot:1 0
	ask 100
	equal "$(answered "$BATS_TEST_TMPDIR/answers" | wc -l)" 2 "workers that answer"
	equal "$(status 8080 tcp '[.counters.fallback, .counters.fallbacks.nobody] | tojson')" \
		"[100,100]"
	balanced 8080 tcp
	succeeds ctl status --port 8080
	[[ $output == *"no eligible worker 100"* ]] || fail "$output"
	# And back.
	ctl weight --port 8080 slot:0 1
	ask 50
	equal "$(status 8080 tcp '.workers[0].selected')" 50
}

@test "weight: nothing fails while weights change" {
	local i
	start_workers 4 --port 8080
	attach --port 8080 --policy weighted
	start_load --to 127.0.0.1:8080 --rate 1000
	for i in {1..20}; do
		ctl weight --port 8080 slot:$((i % 4)) $((i * 37 % 11)) >/dev/null
	done
	stop_load
	no_failed_request
	balanced 8080 tcp
	equal "$(status 8080 tcp .counters.fallback)" 0
}

@test "weight: shown in the table, and in JSON" {
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted
	sets slot:1 250 1
	equal "$(weights)" "[1,250]"
	succeeds ctl status --port 8080
	awk '/SLOT/ { for (i = 1; i <= NF; i++) if ($i == "WEIGHT") at = i }
		/ active / { print $at }' <<<"$output" | xargs >"$BATS_TEST_TMPDIR/column"
	equal "$(cat "$BATS_TEST_TMPDIR/column")" "1 250" "column WEIGHT"
}

@test "weight: without a keeper, and kept by the next one" {
	start_workers 3 --port 8080
	attach --port 8080 --policy weighted
	ctl weight --port 8080 slot:0 2
	kill_keeper 8080 tcp
	sets slot:1 0 1
	ask 120
	equal "$(status 8080 tcp '.workers[1].selected')" 0
	attach --port 8080
	equal "$(weights)" "[2,0,1]"
	sleep 0.3
	ask 120
	equal "$(status 8080 tcp '.workers[1].selected')" 0
	equal "$(status 8080 tcp .rules.table_width)" 3
}

@test "weight: of a worker, not of its slot" {
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted
	ctl weight --port 8080 slot:1 9
	stop "$(status 8080 tcp '.workers[1].pid')"
	wait_until 2 in_sync 8080 tcp
	refused 3 ctl weight --port 8080 slot:1 5
	start_worker --port 8080
	wait_until 2 in_sync 8080 tcp
	equal "$(status 8080 tcp ".workers[] | select(.cookie == $worker_cookies)
		| [.slot, .weight] | tojson")" "[1,1]"
}

@test "weight: a policy that does not go by it is told" {
	start_workers 2 --port 8080
	attach --port 8080
	run --separate-stderr ctl weight --port 8080 slot:0 5
	equal "$status" 0 "exit status"
	equal "$output" "weight 5 for 1 worker"
	equal "${#stderr_lines[@]}" 1 "lines on standard error"
	[[ $stderr == *"policy hash"*"weighted"* ]] || fail "$stderr"
	# 0 and 1 it knows.
	sets slot:0 0 1
	sets slot:0 1 1
	equal "$(status 8080 tcp .rules.table_width)" 0
}

# restarted KEEPS...: each of three workers ends and another takes its slot.
restarted() {
	local i
	start_workers 3 --port 8080
	attach --port 8080 --policy weighted "$@"
	succeeds ctl weight --port 8080 slot:1 7
	ctl weight --port 8080 slot:2 0
	for i in 0 1 2; do
		stop "$(status 8080 tcp ".workers[] | select(.slot == $i).pid")" KILL
		wait_until 5 in_sync 8080 tcp
		start_worker --port 8080
		wait_until 5 in_sync 8080 tcp
	done
}

@test "weight: who takes a slot has weight 1, or with --keep-weights the one before" {
	restarted
	equal "$(weights)" "[1,1,1]"
	ctl detach --port 8080
	end_processes
	restarted --keep-weights
	equal "$(weights)" "[1,7,0]"
	# The next keeper does so, too.
	kill_keeper 8080 tcp
	ctl attach --port 8080
	stop "$(status 8080 tcp '.workers[] | select(.slot == 1).pid')" KILL
	wait_until 5 in_sync 8080 tcp
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	equal "$(weights)" "[1,7,0]"
}
