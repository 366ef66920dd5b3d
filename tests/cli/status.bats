#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What status shows: rate and share within an interval, again and again, who holds a socket, what
# workers that have gone were given; and that the manual names all of it, and nothing else.
load common.bash

PAGE=$RP_ROOT/man/reuseportctl-status.8.scd

setup() {
	begin_test
}

teardown() {
	end_test
}

# watch ARGS...: in the background, into $watched; sets $watch_pid.
watch() {
	watched=$BATS_TEST_TMPDIR/watched
	spawn "$watched" "$REUSEPORTCTL" status --netns "$NS" --port 8080 --watch "$@"
	watch_pid=$spawned
}

# has_documents N: or more of them.
has_documents() {
	[ "$(grep -c '^}' "$watched")" -ge "$1" ]
}

# Two more, so that one begins after this.
two_more_documents() {
	wait_until 10 has_documents $(($(grep -c '^}' "$watched") + 2))
}

# end_watch STATUS [SIGNAL]
end_watch() {
	local got=0
	[ -z "${2:-}" ] || kill "-$2" "$watch_pid"
	wait "$watch_pid" || got=$?
	equal "$got" "$1" "exit status of the watch"
}

@test "status: an interval that is none is refused whole" {
	local text
	for text in 0 -1 +1 1x 0.05 0.0999 3600.001 0.1234 99999999999999999999 1e3 0x1 "" . .5 1. 1.2.3 " 1" nan; do
		refused 2 ctl status --interval "$text"
		says "--interval '$text' is not a number of seconds from 0.1 to 3600"
	done
	refused 2 ctl status --watch --interval 1s
	run -0 ctl status --watch --interval 0.1
	equal "$output" "nothing is steered"
	refused 3 ctl status --port 8080 --watch
	says "nothing is attached there"
	run -0 ctl status --interval 0.1 --json
	equal "$(jq -c . <<<"$output")" '{"groups":[]}'
}

# The one that joined later has fewer selections, and the same share.
@test "status: rate and share within an interval, with workers that join and leave" {
	local n sum
	start_worker --port 8080
	attach --port 8080 --policy round-robin
	client --to 127.0.0.1:8080 --count "$(packets_of 300)" >/dev/null
	watch --interval 0.2 --json
	wait_until 10 has_documents 1
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	two_more_documents
	n=$(packets_of 600)
	client --to 127.0.0.1:8080 --count "$n" >/dev/null
	two_more_documents
	client --to 127.0.0.1:8080 --count 10 >/dev/null
	n=$((n + 10))
	stop "$worker_pid"
	two_more_documents
	end_watch 0 INT
	# Nothing is counted twice or left out between two looks.
	equal "$(jq -s '[.[].groups[0].interval.selected] | add' "$watched")" "$n" "all selections"
	jq -es 'all(.[].groups[0]; . as $g
		| ($g.interval.rate * $g.interval.seconds - $g.interval.selected | fabs) < 0.01
		and (([$g.workers[].rate] | add) * $g.interval.seconds + $g.interval.gone_selected
			- $g.interval.selected | fabs) < 0.01)' "$watched" >/dev/null || fail "rates"
	jq -es 'all(.[].groups[0]; if .interval.selected == 0 then all(.workers[]; .share == null)
		else ([.workers[].share] | add) + .interval.gone_selected / .interval.selected - 1
			| fabs < 0.001 end)' "$watched" >/dev/null || fail "shares"
	jq -es 'all(.[].groups[0]; .interval as $i | all(.workers[]; .share == null or
		(.share * $i.selected - .rate * $i.seconds | fabs) < 0.01))' "$watched" >/dev/null ||
		fail "shares and rates"
	# With both, although one has been there for longer.
	sum=$(jq -s '[.[].groups[0] | select((.workers | length) == 2 and .interval.selected >= 20)
		| .workers[1].share | select(. > 0.4 and . < 0.6)] | length' "$watched")
	[ "$sum" -ge 1 ] || fail "$(cat "$watched")"
	# As text.
	run -0 ctl status --port 8080 --interval 0.1
	[[ $output == *SELECTED*" RATE "*SHARE* && $output == *$'\n'"in "*" s: selected 0, 0.0 a second"* ]] ||
		fail "$output"
	run -0 ctl status --port 8080
	[[ $output != *SHARE* && $output != *" RATE"* ]] || fail "$output"
}

# What the rows have, those that have gone, and all.
counted() {
	status 8080 tcp '"\([.workers[].selected] | add) \(.gone_selected) \(.counters.selected)"'
}

@test "status: what workers that have gone were given" {
	local n gone gone_pid pid
	start_workers 3 --port 8080
	attach --port 8080 --policy round-robin
	n=$(packets_of 300)
	client --to 127.0.0.1:8080 --count "$n" >/dev/null
	equal "$(counted)" "$n 0 $n"
	run -0 ctl status --port 8080
	[[ $output != *"gone workers"* ]] || fail "$output"
	read -r gone gone_pid < <(status 8080 tcp '.workers[1] | "\(.selected) \(.pid)"')
	stop "$gone_pid"
	equal "$(counted)" "$((n - gone)) $gone $n"
	# The keeper learns of it with the next packets.
	client --to 127.0.0.1:8080 --count 10 >/dev/null
	n=$((n + 10))
	wait_until 5 grep -q ': 2 workers' "$BATS_TEST_TMPDIR/keeper.log"
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	# The next one in the slot begins with nothing.
	equal "$(status 8080 tcp '.workers[1] | "\(.slot) \(.pid) \(.selected)"')" "1 $worker_pid 0"
	equal "$(counted)" "$((n - gone)) $gone $n"
	run -0 ctl status --port 8080
	[[ $output == *$'\n'"gone workers: $gone look-ups"* ]] || fail "$output"
	for pid in "$worker_pid" "${worker_pids[@]}"; do
		[ "$pid" = "$gone_pid" ] || stop "$pid"
	done
	run -0 ctl status --port 8080
	[[ $output == *$'\n'"gone workers: $n look-ups"* ]] || fail "$output"
}

# The row of slot 0, as text: pid, how many more, descriptor.
holders() {
	ctl status --port 8080 | sed -n 's/^ *0 \+\([0-9?]\+\( +[0-9]\+\)\? \+[0-9?]\+\) .*/\1/p' | tr -s ' '
}

holders_are() {
	[ "$(status 8080 tcp .workers[0].holders)" -eq "$1" ]
}

@test "status: who holds a socket, and under which descriptor" {
	local pid fd n inode
	start_worker --port 8080 --fork 2
	attach --port 8080
	pid=$(status 8080 tcp .workers[0].pid) fd=$(status 8080 tcp .workers[0].fd)
	inode=$(readlink "/proc/$pid/fd/$fd")
	[[ $inode == socket:* ]] || fail "fd $fd of $pid is $inode"
	n=$(find /proc/[0-9]*/fd -lname "socket:\\[${inode//[^0-9]/}\\]" 2>/dev/null | cut -d/ -f3 | sort -u | wc -l)
	[ "$n" -ge 2 ] || fail "$n"
	equal "$(status 8080 tcp '.workers[0] | "\(.holders) \(.pids | length) \(.pids | index(.[0]))"')" "$n $n 0"
	equal "$(holders)" "$pid +$((n - 1)) $fd"
	# One fewer: nothing of it is remembered.
	stop "$(status 8080 tcp ".workers[0].pids | map(select(. != $pid and . != $worker_pid))[0]")" KILL
	wait_until 5 holders_are $((n - 1))
}

@test "status: a watch ends when the group goes, and says so" {
	start_workers 2 --port 8080
	attach --port 8080
	watch --interval 0.1
	wait_until 10 grep -q '^$' "$watched"
	ctl detach --port 8080
	end_watch 3
	equal "$(grep -c 'policy hash' "$watched")" "$(grep -c '^packets' "$watched")" blocks
	equal "$(grep -c 'policy hash' "$watched")" "$(($(grep -c '^$' "$watched") + 1))" "blocks and lines between them"
	! grep -q $'\033' "$watched" || fail "it draws into a file"
	grep -q "reuseportctl: what was attached there has gone" "$BATS_TEST_TMPDIR/spawned.log"
}

@test "status: a watch redraws on a terminal, and ends at SIGTERM" {
	command -v script >/dev/null || skip "script is not installed"
	start_worker --port 8080
	attach --port 8080
	watched=$BATS_TEST_TMPDIR/watched
	# script has the exit status of the watch, and timeout sends what ends it.
	in_ns script -qefc "exec timeout --preserve-status -s TERM 2 '$REUSEPORTCTL' status --netns $NS \
		--port 8080 --watch --interval 0.1" /dev/null >"$watched" </dev/null 3>&- || fail "it failed: $?"
	[ "$(grep -c "policy hash" "$watched")" -ge 1 ] || fail "nothing is shown"
	equal "$(grep -c $'\033\\[H' "$watched")" "$(grep -c "policy hash" "$watched")" "redrawn"
}

# --------------------------------------------------------------------- ages

# age_of SLOT: in seconds.
age_of() {
	status 8080 tcp ".workers[] | select(.slot == $1).age"
}

# younger A B: one age than the other.
younger() {
	jq -en "$1 >= 0 and $1 < $2" >/dev/null || fail "not $1 < $2"
}

@test "status: the age of each state, of workers and of a rollout" {
	local old
	start_workers 3 --port 8080
	attach --port 8080
	wait_until 5 eval '[ "$(age_of 0 | cut -d. -f1)" -ge 1 ]'
	ctl drain --port 8080 slot:1
	old=$(age_of 0)
	younger "$(age_of 1)" "$old"
	# What does not change the state does not change the age.
	ctl weight --port 8080 slot:2 3
	ctl drain --port 8080 slot:1
	younger 1 "$(age_of 2)"
	run -0 ctl status --port 8080
	[[ $output == *" STATE "*" AGE "* && $output =~ " active "\ +[0-9]+s\  && $output =~ " draining "\ +[0-9]+s\  ]] ||
		fail "$output"
	equal "$(status 8080 tcp .rollout.age)" null
	ctl rollout --port 8080 begin
	younger "$(status 8080 tcp .rollout.age)" "$(age_of 1)"
	start_worker --port 8080
	wait_until 5 in_sync 8080 tcp
	younger "$(age_of 3)" "$(status 8080 tcp .rollout.age)"
	run -0 ctl status --port 8080
	[[ $output =~ "generation 0 serves, for "[0-9]+s$'\n' ]] || fail "$output"
	ctl rollout --port 8080 switch
	# The one that was drained before has been so for longer.
	status 8080 tcp '[.workers[].age] as $a | .rollout.age < $a[1] and $a[0] < $a[1] and $a[2] < $a[1]
		and $a[3] < $a[1]' | grep -qx true || fail "$(look 8080 tcp)"
	ctl undrain --port 8080 slot:1
	younger "$(age_of 1)" "$(age_of 0)"
}

draining_at() {
	[ "$(status 8080 tcp '.workers[0] | "\(.state) \(.pid)"')" = "draining $1" ]
}

# Of a socket that a service manager holds, say.
@test "status: a drain that outlives its process is shown with its age" {
	local pid drained
	start_worker --port 8080 --shared 2
	attach --port 8080
	ctl drain --port 8080 slot:0
	pid=$(status 8080 tcp .workers[0].pid)
	wait_until 5 eval '[ "$(age_of 0 | cut -d. -f1)" -ge 1 ]'
	drained=$(age_of 0)
	kill -KILL "$pid"
	wait_until 5 eval '[ "$(status 8080 tcp .workers[0].pid)" != '"$pid ]"
	equal "$(status 8080 tcp .workers[0].state)" draining
	younger "$drained" "$(age_of 0)"
}

look_age() {
	status 8080 tcp "(.keeper.look_age // -1) $1" | grep -qx true
}

@test "status: how old the keeper's look is, and what it cannot take" {
	local keeper
	start_workers 2 --port 8080
	attach --port 8080
	wait_until 5 look_age "| . >= 0"
	keeper=$(keeper_pid 8080 tcp)
	kill -STOP "$keeper"
	wait_until 10 look_age "> 3"
	run -0 ctl status --port 8080
	kill -CONT "$keeper"
	[[ $output =~ "  the keeper looked "[0-9]+"s ago whether the group has its program" ]] || fail "$output"
	wait_until 10 look_age "< 3"
	equal "$(status 8080 tcp .unregistered_age)" null
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_worker --port 8080 --mptcp
	wait_until 8 eval '[ "$(status 8080 tcp .unregistered_age)" != null ]'
	run -0 ctl status --port 8080
	[[ $output =~ "1 group member without a slot: the kernel picks it too, for "[0-9]+"s; a drain" ]] || fail "$output"
}

# ------------------------------------------------------------------- the manual

# see ARGS...: note the columns and members of an output.
see() {
	ctl status "$@" | sed -n '/^ *SLOT/p' | tr -s ' ' '\n' | grep . >>"$BATS_TEST_TMPDIR/columns" || true
	ctl status "$@" --json | jq -r '.groups[] | paths | map(strings) | join(".")' >>"$BATS_TEST_TMPDIR/members"
}

# page_words SECTION PATTERN: its bold words, but for names of pages.
page_words() {
	sed -n "/^# $1\$/,/^# /p" "$PAGE" | grep -oE "\*$2\*([^(]|\$)" | sed 's/^\*//; s/\*.*//'
}

@test "status: the manual names each column and member of the output, and no other" {
	start_workers 2 --port 8080 --proto udp
	attach --port 8080 --proto udp --sticky --policy weighted --over consistent
	start_worker --port 8080 --proto udp --addr ::1 --v6only
	see --interval 0.1
	ctl rollout --port 8080 --proto udp begin
	[ "$(cat /proc/sys/net/mptcp/enabled 2>/dev/null)" = 1 ] || skip "this kernel has no MPTCP"
	start_worker --port 8080
	attach --port 8080
	start_worker --port 8080 --mptcp
	wait_until 5 eval '[ "$(status 8080 tcp "[.workers[].reason | strings] | length")" = 1 ]'
	see
	diff <(page_words COLUMNS '[A-Z]+' | sort -u) <(sort -u "$BATS_TEST_TMPDIR/columns") ||
		fail "columns: < in the manual only, > in the output only"
	diff <(page_words JSON '[a-z0-9_.]+' | sort -u) <(sort -u "$BATS_TEST_TMPDIR/members") ||
		fail "members: < in the manual only, > in the output only"
}
