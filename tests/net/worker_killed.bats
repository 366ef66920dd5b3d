#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A worker is killed while a hundred connections wait in its queue: each goes to
# the worker that the policy chooses, is counted for it and answered by it.
load ../bash/lib.bash
load ../bash/policies.bash

setup() {
	begin_test
	skip_if_sanitized "the program in the kernel decides"
	skip_without migration
	in_ns sysctl -qw net.ipv4.tcp_migrate_req=0
	here tcp
}

teardown() {
	end_test
}

# freeze PID...: until each has stopped for certain.
freeze() {
	local pid
	for pid; do
		kill -STOP "$pid"
		wait_until 5 frozen "$pid"
	done
}

frozen() {
	local stat
	read_stat "$1" && [[ ${stat##*) } == T* ]]
}

# "COOKIE VALUE" of each worker, sorted.
by_worker() {
	status 8080 tcp ".workers[] | \"\\(.cookie) \\($1)\"" | sort -n
}

# The worker that each waiting connection would be given to if it came now.
explained() {
	in_ns ss -Hnt state established 'dport = :8080' | awk '{ print $3, "?" }' |
		in_ns "$LIBRARY_HELPERS/explain_lines" --to "$to" | sort
}

# killed_with_queue POLICY: one worker has a hundred connections in its queue and
# is killed before three others, which are frozen, so that all can be seen in
# their queues. Sets dead and the files answers (of the client), expected (what
# explain said before) and migrated (by worker).
killed_with_queue() {
	local others=() fallback go
	begin 1 --policy "$1"
	dead=${worker_ids[0]}
	freeze "${worker_pids[0]}"
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	spawn "$BATS_TEST_TMPDIR/queue" "$HELPERS/queue" --to "$to" --count 100 \
		<"$BATS_TEST_TMPDIR/go"
	queue_pid=$spawned
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/queue"
	equal "$(by_worker .queue)" "$dead 100" "waiting"
	for _ in 1 2 3; do
		join
		others+=("$worker_pid")
	done
	freeze "${others[@]}"
	explained >"$BATS_TEST_TMPDIR/expected"

	stop "${worker_pids[0]}" KILL
	wait_until 3 in_sync 8080 tcp
	by_worker .queue >"$BATS_TEST_TMPDIR/waiting"
	by_worker .migrated >"$BATS_TEST_TMPDIR/migrated"
	fallback=$(status 8080 tcp .counters.fallback)
	echo "queues, migrated, fallback: $(cat "$BATS_TEST_TMPDIR"/{waiting,migrated}) $fallback"
	kill -CONT "${others[@]}"
	echo >&"$go"
	wait "$queue_pid" || fail "queue failed"

	tail -n 1 "$BATS_TEST_TMPDIR/queue" | jq -e '.connected == 100 and .answered == 100'
	sed '/^ready/d; /^{/d' "$BATS_TEST_TMPDIR/queue" | sort >"$BATS_TEST_TMPDIR/answers"
	# Who has it in its queue answers it.
	diff "$BATS_TEST_TMPDIR/waiting" <(answers_by_worker <"$BATS_TEST_TMPDIR/answers")
	equal "$(status 8080 tcp .counters.migrations)" 100 "migrations"
	equal "$(status 8080 tcp '[.workers[].migrated] | add')" $((100 - fallback)) "by worker"
	equal "$(status 8080 tcp .counters.migrated)" $((100 - fallback)) "migrated"
	equal "$(packets 8080 tcp)" 100 "packets"
	balanced 8080 tcp
	equal "$(in_ns nstat -asz TcpExtTCPMigrateReqSuccess | awk 'END { print $2 }')" 100 "by the kernel"
}

@test "killed: a hundred that wait, hash" {
	killed_with_queue hash
	diff "$BATS_TEST_TMPDIR/migrated" "$BATS_TEST_TMPDIR/waiting"
	[ "$(wc -l <"$BATS_TEST_TMPDIR/migrated")" -eq 3 ]
}

# Each is given to the worker that was due for its key all the time; only those
# of the dead one go to others. Four times the dead one for one key, of the four
# workers that there were, leaves it to the kernel.
@test "killed: a hundred that wait, consistent" {
	killed_with_queue consistent
	diff <(grep -v " $dead\$" "$BATS_TEST_TMPDIR/expected") \
		<(grep -F -f <(grep -v " $dead\$" "$BATS_TEST_TMPDIR/expected" | cut -d' ' -f1 |
			sed 's/$/ /') "$BATS_TEST_TMPDIR/answers")
	[ "$(grep -vc " $dead\$" "$BATS_TEST_TMPDIR/expected")" -ge 50 ]
}

# Each is given to who has the fewest then.
@test "killed: a hundred that wait, least-queue" {
	killed_with_queue least-queue
	diff "$BATS_TEST_TMPDIR/migrated" "$BATS_TEST_TMPDIR/waiting"
	equal "$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/waiting" | sort -n | xargs)" "33 33 34"
}
