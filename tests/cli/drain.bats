#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# drain, undrain, admit, and the options of attach that prepare for a restart:
# words, states, messages, whoever keeps or does not keep, interrupted, at once.
load common.bash

setup() {
	begin_test
	rounds ROUNDS 4 2
}

teardown() {
	end_test
}

states() {
	status 8080 "${1:-tcp}" '[.workers[].state] | join(" ")'
}

state_of() {
	status 8080 "${2:-tcp}" ".workers[] | select(.cookie == $1) | .state"
}

is_state() {
	[ "$(state_of "$1")" = "$2" ]
}

# does WORDS CMD ARG...: succeeds, and says so.
does() {
	local words=$1
	shift
	succeeds ctl "$@" --port 8080
	equal "$output" "$words"
}

# ----------------------------------------------------------------------- words

@test "drain: --help" {
	local word
	succeeds "$REUSEPORTCTL" drain --help
	for word in WORKER --port --proto --addr --netns --wait "--timeout SECONDS" --release; do
		[[ $output == *"$word"* ]] || fail "$word is not in: $output"
	done
	succeeds "$REUSEPORTCTL" undrain --help
	[[ $output == *WORKER* && $output != *--wait* ]] || fail "$output"
	succeeds "$REUSEPORTCTL" admit --help
	[[ $output == *"[WORKER]"* ]] || fail "$output"
	succeeds "$REUSEPORTCTL" attach --help
	for word in "--admit auto|manual" --sticky "--flows N" "--idle SECONDS"; do
		[[ $output == *"$word"* ]] || fail "$word is not in: $output"
	done
}

@test "drain: wrong usage" {
	local args
	for args in drain undrain admit "drain slot:0" "undrain slot:0" "admit slot:0" \
		"drain --port 8080" "drain --port 8080 slot:0 slot:1" \
		"undrain --port 8080 slot:0 slot:1" "admit --port 8080 slot:0 slot:1" \
		"undrain --port 8080 slot:0 --wait" "admit --port 8080 --wait" \
		"undrain --port 8080 slot:0 --release" "drain --port 8080 --port 8081 slot:0" \
		"drain --port 8080 slot:0 --json" "drain --port 0 slot:0"; do
		run --separate-stderr "$REUSEPORTCTL" $args
		equal "$status" 2 "exit status of '$args'"
		equal "$output" "" "standard output of '$args'"
	done
}

@test "drain: --timeout goes with --wait, and has a range" {
	local seconds
	start_worker --port 8080
	attach --port 8080
	refused 2 ctl drain --port 8080 slot:0 --timeout 5
	says "--timeout requires --wait"
	for seconds in 0 86401 x '' -1 1.5; do
		refused 2 ctl drain --port 8080 slot:0 --wait --timeout "$seconds"
		says "'$seconds'" "1 to 86400 seconds"
	done
	equal "$(states)" active
}

@test "drain: words that name no worker" {
	local command word
	start_worker --port 8080
	attach --port 8080
	for command in drain undrain admit; do
		for word in nginx slot: slot:x pid:abc '' '*' 99999999999999999999999; do
			refused 2 ctl $command --port 8080 "$word"
			says "does not select a worker" "slot:N"
		done
	done
	equal "$(states)" active
}

@test "drain: unknown workers, nothing attached" {
	local command word
	start_worker --port 8080
	for command in drain undrain admit; do
		refused 3 ctl $command --port 8080 slot:0
		says "nothing is attached" status
	done
	refused 3 ctl admit --port 8080
	untouched 8080
	attach --port 8080
	for command in drain undrain admit; do
		for word in slot:1 slot:4294967296 pid:1 cookie:1 4294967296; do
			refused 3 ctl $command --port 8080 "$word"
			says "no worker has" "reuseportctl status" "${word#*:}" status
		done
		refused 3 ctl $command --port 8081 slot:0
		refused 3 ctl $command --port 8080 --proto udp slot:0
		refused 3 ctl $command --port 8080 --addr 127.0.0.1 slot:0
	done
	refused 3 ctl drain --port 8080 slot:7 --wait
	equal "$(states)" active
}

@test "drain: not root" {
	local command shared
	shared=$(mktemp -d)
	chmod 755 "$shared"
	cp "$REUSEPORTCTL" "$shared/reuseportctl"
	start_worker --port 8080
	attach --port 8080
	for command in "drain slot:0" "undrain slot:0" admit "rollout begin"; do
		refused 1 in_ns setpriv --reuid 65534 --regid 65534 --clear-groups \
			"$shared/reuseportctl" $command --port 8080
		says "run as root" CAP_BPF
	done
	rm -r "$shared"
	equal "$(states)" active
	equal "$(status 8080 tcp .rollout.phase)" none
}

# Only in a PID namespace of their own do processes have numbers as small as slots.
@test "drain: a number that could be two" {
	local pid
	spawn "$BATS_TEST_TMPDIR/inside" unshare --pid --fork --mount-proc --kill-child \
		env HELPERS="$HELPERS" REUSEPORTCTL="$REUSEPORTCTL" OUT="$BATS_TEST_TMPDIR/ready" bash -c '
		"$HELPERS/worker" --port 8080 --sockets 8 >"$OUT" &
		server=$!
		until grep -q ^ready "$OUT"; do sleep 0.05; done
		"$REUSEPORTCTL" attach --port 8080 >/dev/null || exit
		for command in drain undrain admit; do
			echo "$command=$("$REUSEPORTCTL" $command --port 8080 $server 2>&1)=$?"
		done
		echo over $server
		sleep 30'
	wait_until 15 grep -q ^over "$BATS_TEST_TMPDIR/inside"
	pid=$(sed -n 's/^over //p' "$BATS_TEST_TMPDIR/inside")
	[ "$pid" -lt 8 ] || skip "the worker has pid $pid, and no slot has that number"
	equal "$(grep -c "=reuseportctl: '$pid' is ambiguous: use slot:$pid, pid:$pid or cookie:$pid=2$" \
		"$BATS_TEST_TMPDIR/inside")" 3 "refusals"
	equal "$(states | xargs -n1 | sort -u)" active
	record_bpf
}

@test "drain: of another ABI version" {
	local bytes pin
	start_worker --port 8080
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	bytes=$(bpftool -j map dump pinned "$pin/attachment" | jq -r '.[0].value[4:] | join(" ")')
	bpftool map update pinned "$pin/attachment" key 0 0 0 0 value 2 0 0 0 $bytes
	for command in "drain slot:0" "undrain slot:0" admit "rollout begin"; do
		refused 1 ctl $command --port 8080
		says "ABI version" "detach, then attach"
	done
	serves 8080
	succeeds ctl detach --port 8080
	untouched 8080
}

# ----------------------------------------------------------------------- states

@test "drain: by slot, pid, cookie and number, and undrained" {
	local cookies pids
	start_workers 4 --port 8080
	attach --port 8080
	mapfile -t pids < <(status 8080 tcp '.workers[].pid')
	mapfile -t cookies < <(status 8080 tcp '.workers[].cookie')
	does "draining 1 worker" drain slot:0
	equal "$(states)" "draining active active active"
	does "draining 1 worker" drain "pid:${pids[1]}"
	does "draining 1 worker" drain "cookie:${cookies[2]}"
	equal "$(states)" "draining draining draining active"
	does "undrained 1 worker" undrain 0
	does "undrained 1 worker" undrain "${pids[1]}"
	does "undrained 1 worker" undrain "${cookies[2]}"
	equal "$(states)" "active active active active"
	serves 8080
	equal "$(status 8080 tcp .counters.fallback)" 0
}

@test "drain: twice is once" {
	start_workers 2 --port 8080
	attach --port 8080
	does "draining 1 worker" drain slot:0
	does "draining 1 worker" drain slot:0
	equal "$(states)" "draining active"
	does "undrained 1 worker" undrain slot:0
	succeeds ctl undrain --port 8080 slot:0
	[[ $output == "undrained 0 workers: none was drained"* ]] || fail "$output"
	equal "$(states)" "active active"
}

@test "drain: --release makes it leaving, drain alone makes it draining again" {
	start_workers 2 --port 8080
	attach --port 8080
	does "draining 1 worker" drain slot:0 --release
	equal "$(states)" "leaving active"
	does "draining 1 worker" drain slot:0
	equal "$(states)" "draining active"
	does "draining 1 worker" drain slot:0 --release
	does "undrained 1 worker" undrain slot:0
	equal "$(states)" "active active"
}

@test "drain: a pid is all that it serves, and it is told when nobody is left" {
	start_worker --port 8080 --sockets 3
	attach --port 8080
	run --separate-stderr ctl drain --port 8080 --force "pid:$worker_pid"
	equal "$status" 0
	equal "$output" "draining 3 workers"
	[[ $stderr == *"no worker is left"*"the kernel picks"* ]] || fail "$stderr"
	equal "$(states)" "draining draining draining"
	serves 8080
	does "undrained 3 workers" undrain "pid:$worker_pid"
	does "draining 1 worker" drain slot:1
}

@test "drain: in all groups that are meant" {
	start_worker --port 8080
	start_worker --port 8080 --addr :: --v6only
	attach --port 8080
	run --separate-stderr ctl drain --port 8080 slot:0
	equal "$status $output" "0 draining 2 workers"
	does "undrained 1 worker" undrain --addr :: slot:0
	equal "$(ctl status --port 8080 --json |
		jq -c '.groups | sort_by(.addr) | map(.workers[0].state)')" '["draining","active"]'
}

@test "drain: weight and policy stay, and the state stays through them" {
	start_workers 2 --port 8080
	attach --port 8080 --policy weighted
	ctl weight --port 8080 slot:0 7
	does "draining 1 worker" drain slot:0
	ctl policy --port 8080 consistent
	ctl weight --port 8080 slot:0 9
	equal "$(states)" "draining active"
	does "undrained 1 worker" undrain slot:0
	equal "$(status 8080 tcp '[.workers[].weight] | tojson')" "[9,1]"
}

@test "drain: the next worker in the slot is another one" {
	start_workers 2 --port 8080
	attach --port 8080
	does "draining 1 worker" drain "cookie:${worker_ids[0]}"
	stop "${worker_pids[0]}"
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	equal "$(states)" "active active"
}

@test "drain: the table for people has it, JSON has it" {
	start_workers 2 --port 8080
	attach --port 8080
	does "draining 1 worker" drain slot:0
	succeeds ctl status --port 8080
	[[ $output == *draining* && $output != *GEN* && $output != *FLOWS* ]] || fail "$output"
	succeeds ctl status --port 8080 --json
	jq -e '.groups[0] | .admit == "auto" and has("sticky") == false
		and .rollout == {phase: "none", serving: 0, other: 0, age: null}
		and (.workers | all(.flows == 0 and .generation == 0))' <<<"$output" >/dev/null ||
		fail "$output"
}

# ------------------------------------------------------------------------- wait

@test "drain: --wait for a worker with nothing left" {
	start_workers 2 --port 8080
	attach --port 8080
	succeeds ctl drain --port 8080 slot:0 --wait
	[[ ${lines[0]} == "draining 1 worker" && ${lines[1]} == "slot 0 pid "*": empty" ]] ||
		fail "$output"
}

# One that hangs, with connections in its queue. Sets $one, its cookie, $pid and $go.
hangs_with_queue() {
	start_workers 2 --port 8080
	attach --port 8080
	one=${worker_ids[0]} pid=${worker_pids[0]}
	kill -STOP "$pid"
	ctl weight --port 8080 "cookie:${worker_ids[1]}" 0
	mkfifo "$BATS_TEST_TMPDIR/go"
	exec {go}<>"$BATS_TEST_TMPDIR/go"
	spawn "$BATS_TEST_TMPDIR/queue" "$HELPERS/queue" --to 127.0.0.1:8080 --count 5 \
		<"$BATS_TEST_TMPDIR/go"
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/queue"
	ctl weight --port 8080 "cookie:${worker_ids[1]}" 1
}

@test "drain: --wait ends when the queue is empty, --timeout before" {
	local one pid go waiting
	hangs_with_queue
	run --separate-stderr ctl drain --port 8080 "cookie:$one" --wait --timeout 1
	equal "$status" 1 "exit status"
	[[ $output == *"pid $pid: 5 to accept, 0 half open"* ]] || fail "$output"
	[[ $stderr == *"after 1 s"*"still busy"* ]] || fail "$stderr"
	equal "$(state_of "$one")" draining "state after a timeout"
	spawn "$BATS_TEST_TMPDIR/wait" "$REUSEPORTCTL" drain --netns "$NS" --port 8080 "cookie:$one" --wait
	waiting=$spawned
	sleep 0.3
	kill -CONT "$pid"
	wait "$waiting"
	[[ $(cat "$BATS_TEST_TMPDIR/wait") == *"pid $pid: empty"* ]] || fail "$(cat "$BATS_TEST_TMPDIR/wait")"
}

@test "drain: --wait ends when the worker is gone" {
	local one pid go waiting
	hangs_with_queue
	spawn "$BATS_TEST_TMPDIR/wait" "$REUSEPORTCTL" drain --netns "$NS" --port 8080 "cookie:$one" --wait
	waiting=$spawned
	wait_until 5 is_state "$one" draining
	stop "$pid" KILL
	wait "$waiting"
	[[ $(cat "$BATS_TEST_TMPDIR/wait") == *gone* ]] || fail "$(cat "$BATS_TEST_TMPDIR/wait")"
}

# ------------------------------------------------------------------------- admit

@test "admit: newcomers wait, are let in one by one or all at once" {
	local i ids
	start_workers 2 --port 8080
	attach --port 8080 --admit manual
	equal "$(states)" "active active" "those that were there"
	equal "$(status 8080 tcp .admit)" manual
	start_workers 4 --port 8080
	wait_until 3 in_sync 8080 tcp
	equal "$(states)" "active active joining joining joining joining"
	does "admitted 1 worker" admit "cookie:${worker_ids[2]}"
	equal "$(state_of "${worker_ids[2]}")" active
	does "admitted 3 workers" admit
	equal "$(states | xargs -n1 | sort -u)" active
	succeeds ctl admit --port 8080
	[[ $output == "admitted 0 workers: none is waiting"* ]] || fail "$output"
	succeeds ctl status --port 8080
	[[ $output == *"wait for 'reuseportctl admit --port 8080 --netns $NS'"* ]] || fail "$output"
}

@test "admit: not who was drained" {
	start_workers 2 --port 8080
	attach --port 8080 --admit manual
	does "draining 1 worker" drain slot:0
	succeeds ctl admit --port 8080
	succeeds ctl admit --port 8080 slot:0
	equal "$(states)" "draining active"
}

@test "admit: neither auto nor manual" {
	start_worker --port 8080
	refused 2 ctl attach --port 8080 --admit yes
	says "'yes'" auto manual
	untouched 8080
}

@test "admit: an adoption keeps it, or changes it" {
	local first
	start_worker --port 8080
	attach --port 8080 --admit manual
	kill_keeper 8080 tcp
	attach --port 8080
	equal "$(status 8080 tcp .admit)" manual
	start_worker --port 8080
	first=$worker_cookies
	wait_until 3 in_sync 8080 tcp
	equal "$(state_of "$first")" joining
	kill_keeper 8080 tcp
	attach --port 8080
	equal "$(state_of "$first")" joining "state after an adoption"
	kill_keeper 8080 tcp
	attach --port 8080 --admit auto
	equal "$(status 8080 tcp .admit)" auto
	equal "$(state_of "$first")" active "state once admission is automatic"
	start_worker --port 8080
	wait_until 3 in_sync 8080 tcp
	equal "$(state_of "$worker_cookies")" active
}

# ------------------------------------------------------------------------ sticky

@test "sticky: only for UDP; --flows and --idle go with it, and have ranges" {
	local value
	start_worker --port 8080
	start_worker --port 8080 --proto udp
	wrong() {
		run --separate-stderr ctl attach --port 8080 "$@"
		equal "$status" 2 "exit status of '$*'"
		message=$stderr
	}
	wrong --sticky
	says "--sticky requires --proto udp"
	wrong --proto tcp --sticky
	says "--sticky requires --proto udp"
	wrong --proto udp --flows 4096
	says "--flows and --idle require --sticky"
	wrong --proto udp --idle 10
	says "--flows and --idle require --sticky"
	for value in 0 1023 4194305 x ''; do
		wrong --proto udp --sticky --flows "$value"
		says "'$value'" "1024 to 4194304"
	done
	for value in 0 86401 x ''; do
		wrong --proto udp --sticky --idle "$value"
		says "'$value'" "1 to 86400 seconds"
	done
	untouched 8080
	untouched 8080 udp
}

@test "sticky: JSON has it" {
	start_worker --port 8080 --proto udp
	attach --port 8080 --proto udp --sticky --flows 2048 --idle 60
	serves 8080 udp
	equal "$(status 8080 udp '.sticky | "\(.flows) \(.occupied) \(.idle) \(.entered) \(.evicted) \(
		.moved)"')" "2048 20 60 20 0 0"
	equal "$(status 8080 udp .workers[0].flows)" 20
	succeeds ctl status --port 8080 --proto udp
	[[ $output == *FLOWS* && $output == *"sticky flows 20 of 2048, idle after 60 s"* ]] || fail "$output"
}

@test "sticky: an adoption keeps it, and refuses others" {
	start_worker --port 8080 --proto udp
	attach --port 8080 --proto udp --sticky --idle 60
	kill_keeper 8080 udp
	for args in "--flows 2048" "--idle 30" "--flows 2048 --idle 60"; do
		refused 1 ctl attach --port 8080 --proto udp --sticky $args
		says "room for 65536 sticky flows, idle after 60 s" "detach first"
	done
	equal "$(status 8080 udp .keeper.running)" false
	attach --port 8080 --proto udp
	equal "$(status 8080 udp '.sticky | "\(.flows) \(.idle)"')" "65536 60"
	kill_keeper 8080 udp
	attach --port 8080 --proto udp --sticky --idle 60
	ctl detach --port 8080 --proto udp
	attach --port 8080 --proto udp
	kill_keeper 8080 udp
	refused 1 ctl attach --port 8080 --proto udp --sticky
	says "detach first"
}

# ----------------------------------------------------- keepers, and interruptions

@test "drain: without a keeper, also of a worker that nobody has seen" {
	start_worker --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	start_worker --port 8080
	does "draining 1 worker" drain "cookie:$worker_cookies"
	equal "$(states)" "active draining"
	does "undrained 1 worker" undrain "cookie:$worker_cookies"
	does "draining 1 worker" drain slot:0 --wait 2>/dev/null || true
	equal "$(status 8080 tcp .keeper.running)" false
	# The next keeper finds it so.
	attach --port 8080
	equal "$(states)" "draining active"
}

@test "admit: without a keeper, also workers that nobody has seen" {
	start_worker --port 8080
	attach --port 8080 --admit manual
	kill_keeper 8080 tcp
	start_worker --port 8080
	does "admitted 1 worker" admit
	equal "$(states)" "active active"
}

@test "drain: while a keeper starts" {
	local round pid
	start_workers 2 --port 8080
	attach --port 8080
	for round in $(seq $((ROUNDS / 2))); do
		kill_keeper 8080 tcp
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080 >/dev/null \
			2>"$BATS_TEST_TMPDIR/attach" 3>&- &
		pid=$!
		does "draining 1 worker" drain slot:0
		wait "$pid" || fail "attach, round $round: $(cat "$BATS_TEST_TMPDIR/attach")"
		equal "$(states)" "draining active"
		equal "$(status 8080 tcp .keeper.running)" true
		does "undrained 1 worker" undrain slot:0
	done
}

@test "drain: many at once" {
	local slot pids=() pid
	start_worker --port 8080 --sockets 8
	attach --port 8080
	for slot in 0 1 2 3 4 5; do
		"$REUSEPORTCTL" drain --netns "$NS" --port 8080 slot:$slot >/dev/null 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid" || fail "a drain failed"
	done
	equal "$(states)" "draining draining draining draining draining draining active active"
	for slot in 0 1 2 3 4; do
		"$REUSEPORTCTL" undrain --netns "$NS" --port 8080 slot:$slot >/dev/null 3>&- &
		pids+=($!)
	done
	for pid in "${pids[@]:6}"; do
		wait "$pid" || fail "an undrain failed"
	done
	equal "$(states)" "active active active active active draining active active"
	serves 8080
	equal "$(status 8080 tcp '.workers[5].selected')" 0
}

# killed COMMAND ARG...: SIGKILL to the tool at some moment.
killed() {
	local pid
	"$REUSEPORTCTL" "$1" --netns "$NS" --port 8080 "${@:2}" >/dev/null 2>&1 3>&- &
	pid=$!
	pause "0.0$(printf %03d $((RANDOM % 60)))"
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || true
}

killed_at_random() {
	local round
	for round in $(seq $ROUNDS); do
		killed drain slot:1
		[[ $(states) =~ ^active\ (active|draining)\ active$ ]] || fail "$(states), round $round"
		does "draining 1 worker" drain slot:1
		killed undrain slot:1
		[[ $(states) =~ ^active\ (active|draining)\ active$ ]] || fail "$(states), round $round"
		serves 8080
		succeeds ctl undrain --port 8080 slot:1
		equal "$(states)" "active active active"
	done
	serves 8080
	balanced 8080 tcp
}

@test "drain: killed at many moments" {
	start_worker --port 8080 --sockets 3
	attach --port 8080
	killed_at_random
}

not_answering() {
	client --to 127.0.0.1:8080 --count 30 >"$BATS_TEST_TMPDIR/answers"
	! grep -q " $1\$" "$BATS_TEST_TMPDIR/answers"
}

# As one would leave it that was killed between the two.
@test "drain: a state that the plan does not know yet, the keeper sees to it" {
	local pin entry
	start_workers 3 --port 8080
	attach --port 8080 --policy consistent
	pin=$(pin_of 8080)
	entry=$(bpftool -j map lookup pinned "$pin/workers" key 0 0 0 0 | jq -r '.value | join(" ")')
	# The state comes after cookie and pid.
	set -- $entry
	bpftool map update pinned "$pin/workers" key 0 0 0 0 value "${@:1:12}" 0x03 "${@:14}"
	equal "$(states)" "draining active active"
	wait_until 20 not_answering "$(status 8080 tcp '.workers[0].cookie')"
}

# Each command looks for workers itself then.
@test "drain: killed at many moments, without a keeper" {
	start_worker --port 8080 --sockets 3
	attach --port 8080
	kill_keeper 8080 tcp
	killed_at_random
	attach --port 8080
	in_sync 8080 tcp
}

# A command that looks for workers itself must not steer anew what is given back.
@test "drain: without a keeper, while it is detached" {
	local round pid
	start_worker --port 8080 --sockets 2
	for round in $(seq $ROUNDS); do
		attach --port 8080 >/dev/null
		kill_keeper 8080 tcp
		"$REUSEPORTCTL" drain --netns "$NS" --port 8080 slot:0 >/dev/null 2>&1 3>&- &
		pid=$!
		pause "0.0$(printf %02d $((RANDOM % 30)))"
		succeeds ctl detach --port 8080
		# Done, or too late.
		wait "$pid" || true
		equal "$(pins_of "$NS_INODE")" "" "pins, round $round"
		untouched 8080
	done
}

# What is empty gets new work again then: "drain --wait && kill" must not go on.
@test "drain: --wait, and another program comes to the group meanwhile" {
	local pid out=$BATS_TEST_TMPDIR/waits waits ended=0
	start_worker --port 8080 --proto udp
	pid=$worker_pid
	kill -STOP "$pid"
	in_ns bash -c 'for i in 1 2 3; do echo x >/dev/udp/127.0.0.1/8080; done'
	start_worker --port 8080 --proto udp
	attach --port 8080 --proto udp
	spawn "$out" "$REUSEPORTCTL" drain --port 8080 --proto udp --wait --timeout 60 "pid:$pid"
	waits=$spawned
	wait_until 10 grep -q "^draining 1 worker" "$out"
	start_worker --port 8080 --proto udp --classic-program
	kill -CONT "$pid"
	wait "$waits" || ended=$?
	equal "$ended" 1 "exit status"
	run ! grep "empty" "$out"
	grep "is not steered: the group has another program" "$BATS_TEST_TMPDIR/spawned.log"
}
