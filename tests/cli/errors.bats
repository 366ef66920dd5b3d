#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What is refused: one line with the cause and the remedy, the right exit
# status, and nothing changed.
load common.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

# ------------------------------------------------------------ nothing to steer

@test "errors: no socket on that port" {
	refused 3 ctl attach --port 8080
	says "no tcp socket is on port 8080" "wait for it" "(--wait)"
	says_not "--proto"
	refused 3 ctl attach --port 8080 --proto udp
	says "no udp socket is on port 8080"
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "errors: no socket on that port, but one of the other protocol" {
	start_worker --port 8080
	start_worker --port 5300 --proto udp
	refused 3 ctl attach --port 8080 --proto udp
	says "no udp socket" "tcp socket is" "select protocol tcp" "(--proto tcp)"
	refused 3 ctl attach --port 5300
	says "no tcp socket" "udp socket is" "select protocol udp" "(--proto udp)"
	untouched 8080
	untouched 5300 udp
}

@test "errors: no socket on that address" {
	start_worker --port 8080 --addr 127.0.0.1
	refused 3 ctl attach --port 8080 --addr 127.0.0.2
	says "no tcp socket" 127.0.0.2
	refused 3 ctl attach --port 8080 --addr ::
	says "no tcp socket" "::"
	untouched 8080
}

@test "errors: a TCP socket that does not listen is none" {
	start_worker --port 8080
	# An established connection has the same local port.
	spawn "$BATS_TEST_TMPDIR/held" python3 -c '
import socket, time
s = socket.socket(); s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(("127.0.0.1", 8081)); s.connect(("127.0.0.1", 8080)); time.sleep(60)'
	wait_until 5 grep -q :1F91 "/proc/$spawned/net/tcp"
	refused 3 ctl attach --port 8081
	untouched 8081 || true
	equal "$(pins_of "$NS_INODE")" "" pins
}

# -------------------------------------------------------------- not a group

@test "errors: without SO_REUSEPORT, advice by the server's name" {
	start_named nginx --port 8080 --no-reuseport
	refused 1 ctl attach --port 8080
	says "no SO_REUSEPORT" nginx "$worker_pid" "'reuseport'" "'listen'"
	untouched 8080

	start_named python3.11 --port 8081 --no-reuseport
	refused 1 ctl attach --port 8081
	says "no SO_REUSEPORT" python3.11 reuse_port=True
	untouched 8081

	start_named gunicorn --port 8082 --no-reuseport
	refused 1 ctl attach --port 8082
	says "no SO_REUSEPORT" --reuse-port
	untouched 8082

	start_named unbound --port 5300 --proto udp --no-reuseport
	refused 1 ctl attach --port 5300 --proto udp
	says "no SO_REUSEPORT" "so-reuseport: yes"
	untouched 5300 udp
}

@test "errors: without SO_REUSEPORT, advice for an unknown server" {
	start_named mystery --port 8080 --no-reuseport
	refused 1 ctl attach --port 8080
	says "no SO_REUSEPORT" mystery "before bind" nginx haproxy
	untouched 8080
}

@test "errors: SO_REUSEADDR alone (UDP)" {
	start_worker --port 5300 --proto udp --reuseaddr
	start_worker --port 5300 --proto udp --reuseaddr
	refused 1 ctl attach --port 5300 --proto udp
	says SO_REUSEADDR "only one of them" SO_REUSEPORT
	untouched 5300 udp
	# One by itself starves nobody.
	start_worker --port 5301 --proto udp --reuseaddr
	refused 1 ctl attach --port 5301 --proto udp
	says "no SO_REUSEPORT"
	says_not starve
	untouched 5301 udp
}

@test "errors: SO_REUSEADDR alone (TCP, as nearly every server has it)" {
	start_worker --port 8080 --reuseaddr
	refused 1 ctl attach --port 8080
	says "no SO_REUSEPORT"
	untouched 8080
}

@test "errors: --wait does not hide what waiting cannot mend" {
	start_worker --port 8080 --no-reuseport
	refused 1 timeout 5 "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --wait
	says "no SO_REUSEPORT"
	untouched 8080
}

# -------------------------------------------------------------------- slots

@test "errors: more workers than slots" {
	local proto
	for proto in tcp udp; do
		start_workers 4 --port 8080 --proto $proto
		refused 1 ctl attach --port 8080 --proto $proto --slots 2
		says "4 workers" "2 slots" "4 slots or more" "(--slots N)"
		untouched 8080 $proto
		succeeds ctl attach --port 8080 --proto $proto --slots 4
		in_sync 8080 $proto
		succeeds ctl detach --port 8080 --proto $proto
	done
}

@test "errors: another number of slots than the attachment has" {
	start_workers 2 --port 8080
	attach --port 8080 --slots 4
	kill_keeper 8080 tcp
	refused 1 ctl attach --port 8080 --slots 8
	says "4 slots" "detach"
	equal "$(status 8080 tcp .program.attached)" true
	succeeds ctl attach --port 8080 --slots 4
}

# --------------------------------------------------------------- namespaces

@test "errors: a namespace that does not exist" {
	local command name
	for command in "attach --port 80" "detach --port 80" status list; do
		refused 1 "$REUSEPORTCTL" $command --netns "no-such-$RANDOM"
		says "no network namespace is named 'no-such-" "ip netns list"
		# 4194304 is the limit of pids, so no process has it.
		refused 1 "$REUSEPORTCTL" $command --netns 4194304
		says "no process has pid 4194304"
		refused 1 "$REUSEPORTCTL" $command --netns ../netns
		says "'../netns'"
		for name in . ..; do
			refused 1 "$REUSEPORTCTL" $command --netns "$name"
			says "'$name' is neither a name nor a pid"
		done
		refused 1 "$REUSEPORTCTL" $command --netns ''
		says "''"
	done
}

@test "errors: a namespace inode that no namespace has" {
	refused 1 "$REUSEPORTCTL" attach --port 80 --netns 9999999999
	says 9999999999
	refused 3 "$REUSEPORTCTL" detach --port 80 --netns 9999999999
	refused 3 "$REUSEPORTCTL" status --port 80 --netns 9999999999
}

@test "errors: a namespace by the pid of a process in it" {
	start_worker --port 8080
	succeeds "$REUSEPORTCTL" attach --port 8080 --netns "$worker_pid"
	in_sync 8080 tcp
	succeeds "$REUSEPORTCTL" detach --port 8080 --netns "$worker_pid"
	equal "$(pins_of "$NS_INODE")" "" pins
}

# -------------------------------------------------------------------- values

@test "errors: port out of range" {
	local port command
	for command in attach detach status list; do
		for port in 0 65536 99999999999999999999 abc '' 80x -1 +80 ' 80' 0x50; do
			refused 2 ctl $command --port "$port"
			says "'$port'" "1 to 65535"
		done
	done
}

@test "errors: what is no number is not out of range" {
	refused 2 ctl attach --port http
	says "--port 'http' is not a number (1 to 65535)"
	refused 2 ctl attach --port 70000
	says "--port '70000' is out of range (1 to 65535)"
	refused 2 ctl attach --port 80 --slots many
	says "--slots 'many' is not a number"
	start_worker --port 8080
	attach --port 8080
	refused 2 ctl weight --port 8080 slot:0 much
	says "weight 'much' is not a whole number (0 to 1000)"
}

@test "errors: --netns that is a directory" {
	local name
	for name in . ..; do
		refused 1 "$REUSEPORTCTL" attach --port 8080 --netns "$name"
		says "'$name' is neither a name nor a pid of a network namespace"
	done
}

@test "errors: unknown policy, the nearest is suggested" {
	local pair
	start_worker --port 8080
	for pair in hsah=hash Hash=hash has=hash linux3=linux39 linux_39=linux39 linux=linux39; do
		refused 2 ctl attach --port 8080 --policy "${pair%=*}"
		says "unknown policy '${pair%=*}'" "did you mean '${pair#*=}'" "hash, consistent" linux39
		untouched 8080
	done
	# No guess is better than a bad one.
	for pair in rr nosuch roundtrip '' least_conn; do
		refused 2 ctl attach --port 8080 --policy "$pair"
		says "unknown policy '$pair'. Policies: hash, consistent" linux39
		says_not "did you mean"
	done
	refused 2 ctl attach --port 8080 --policy "$(printf 'x%.0s' {1..5000})"
	says "hash, consistent" linux39
	untouched 8080
}

@test "errors: unknown policy is told before anything is waited for" {
	refused 2 timeout 5 "$REUSEPORTCTL" attach --netns "$NS" --port 8080 --wait --policy hsah
	says "did you mean 'hash'"
}

@test "errors: unknown policy for a steered group leaves it as it was" {
	start_worker --port 8080
	attach --port 8080
	kill_keeper 8080 tcp
	refused 2 ctl attach --port 8080 --policy hsah
	equal "$(status 8080 tcp .policy)" hash
	equal "$(status 8080 tcp .program.attached)" true
}

@test "errors: other values out of range" {
	local slots
	for slots in 0 32769 x '' -1; do
		refused 2 ctl attach --port 8080 --slots "$slots"
		says "'$slots'" "1 to 32768"
	done
	refused 2 ctl attach --port 8080 --proto sctp
	says "'sctp'" tcp udp
	refused 2 ctl attach --port 8080 --addr 1.2.3
	says "'1.2.3'" IPv4
	refused 2 ctl attach --port 8080 --addr localhost
	says "'localhost'"
}

@test "errors: the log file cannot be opened" {
	start_worker --port 8080
	refused 1 ctl attach --port 8080 --log /nonexistent/log
	says /nonexistent/log "No such file"
	untouched 8080
}

# ------------------------------------------------------------- other refusals

@test "attach: again, with the same options or with others" {
	local before keeper
	start_workers 2 --port 8080
	ctl attach --port 8080 --policy consistent --slots 512
	keeper=$(keeper_pid 8080 tcp)
	before=$(ctl status --port 8080 --json)
	succeeds ctl attach --port 8080
	[[ $output == "tcp 0.0.0.0:8080: is steered already, 2 workers; keeper $keeper; "* ]] || fail "$output"
	succeeds ctl attach --port 8080 --policy consistent --key tuple --slots 512 --admit auto
	refused 1 ctl attach --port 8080 --force --policy linux39
	says "steered already" "$keeper" "--policy consistent instead of linux39" "nothing was changed" \
		"'reuseportctl policy --port 8080 --netns $NS linux39'"
	refused 1 ctl attach --port 8080 --proto tcp --addr 0.0.0.0 --slots 256
	says "--slots 512 instead of 256" \
		"'reuseportctl detach --port 8080 --proto tcp --addr 0.0.0.0 --netns $NS', then attach again"
	refused 1 ctl attach --port 8080 --policy consistent --key src
	says "--key tuple instead of src" "'reuseportctl policy --port 8080 --netns $NS POLICY --key ...'"
	refused 1 ctl attach --port 8080 --admit manual
	says "--admit auto instead of manual"
	refused 1 ctl attach --port 8080 --log "$BATS_TEST_TMPDIR/log"
	says "--log none instead of $BATS_TEST_TMPDIR/log"
	diff <(ageless <<<"$before") <(ctl status --port 8080 --json | ageless)
	equal "$(tools_of "$NS")" "$keeper" "keepers"
}

@test "attach: of several groups it does what is left to do" {
	local first
	start_workers 2 --port 8080
	ctl attach --port 8080
	first=$(program_id_on 8080)
	start_workers 2 --port 8080 --addr :: --v6only
	succeeds ctl attach --port 8080
	equal "$(sed 's/;.*//' <<<"$output" | sort)" "tcp 0.0.0.0:8080: is steered already, 2 workers
tcp [::]:8080: steering 2 workers"
	equal "$(ctl list --addr 0.0.0.0 --port 8080 --json | jq '.groups[0].program.id')" "$first"
	# One differs: the other, which is new, is not attached either.
	ctl detach --port 8080 --addr ::
	refused 1 ctl attach --port 8080 --policy consistent
	equal "$(ctl status --port 8080 --json | jq '.groups | length')" 1 attachments
}

@test "errors: filters locked by the server" {
	start_worker --port 8080
	build_foreign
	foreign "$worker_pid" lock
	refused 1 ctl attach --port 8080
	says SO_LOCK_FILTER
	untouched 8080
}

@test "errors: one group of two cannot be steered, then neither is" {
	# The IPv4 group has more workers than slots, the IPv6 group has not.
	start_workers 1 --port 8080 --addr :: --v6only
	start_workers 3 --port 8080
	refused 1 ctl attach --port 8080 --slots 2
	says "0.0.0.0:8080" "3 workers"
	untouched 8080
	# And in the other order of families.
	start_workers 1 --port 8081
	start_workers 3 --port 8081 --addr :: --v6only
	refused 1 ctl attach --port 8081 --slots 2
	says "[::]:8081" "3 workers"
	untouched 8081
}

@test "errors: detach of nothing" {
	refused 3 ctl detach --port 8080
	says "nothing is attached" status
	start_worker --port 8080
	refused 3 ctl detach --port 8080
	untouched 8080
	attach --port 8080
	refused 3 ctl detach --port 8080 --proto udp
	refused 3 ctl detach --port 8080 --addr 127.0.0.1
	refused 3 ctl detach --port 8081
	equal "$(status 8080 tcp .program.attached)" true
	succeeds ctl detach --port 8080
	refused 3 ctl detach --port 8080
}

# A hint is the command to type: it is about the same group.
@test "errors: hints repeat --proto, --addr and --netns" {
	local place="--port 8080 --proto udp --addr 0.0.0.0 --netns $NS"
	start_workers 2 --port 8080 --proto udp
	attach --port 8080 --proto udp
	refused 1 ctl rollout --port 8080 --proto udp --addr 0.0.0.0 abort
	says "('reuseportctl rollout $place begin')"
	run --separate-stderr ctl weight --port 8080 --proto udp --addr 0.0.0.0 slot:0 5
	equal "$status" 0
	message=$stderr
	says "'reuseportctl policy $place weighted'"
	refused 1 ctl attach --port 8080 --proto udp --addr 0.0.0.0 --slots 9
	says "'reuseportctl detach $place'"
	refused 1 ctl attach --port 8080 --proto udp --addr 0.0.0.0 --policy random
	says "'reuseportctl policy $place random'"
	ctl attach --port 8080 --proto udp --log "$BATS_TEST_TMPDIR/keeper.log"
	ctl detach --port 8080 --proto udp
	attach --port 8080 --proto udp --admit manual
	run -0 ctl status --port 8080
	[[ $output == *"new workers wait for 'reuseportctl admit --port 8080 --proto udp --netns $NS'"* ]]
}

# Another member puts its own program on the group, as nginx's quic_bpf or a QUIC server does.
@test "errors: a group that has another program, or none: what is changed takes no effect" {
	local command
	start_workers 2 --port 8080 --proto udp
	attach --port 8080 --proto udp
	start_worker --port 8080 --proto udp --classic-program
	equal "$(status 8080 udp '.program | "\(.attached) \(.foreign)"')" "false true"
	run -0 ctl status --port 8080
	[[ ${lines[1]} == *"NOT STEERED"*"attach --port 8080 --proto udp --netns $NS --force'"* ]] ||
		fail "$output"
	for command in "policy random" "weight slot:0 5" "drain slot:0" "undrain slot:0" "rollout begin"; do
		# shellcheck disable=SC2086 # words
		run --separate-stderr ctl ${command%% *} --port 8080 --proto udp ${command#"${command%% *}"}
		message=$stderr
		equal "$status" 1 "$command"
		says "udp 0.0.0.0:8080 is not steered: the group has another program" "no effect" --force
	done
	[[ $(ctl status --port 8080) == *"NOT STEERED: "*"another one is"* ]] || fail "$(ctl status)"
	# Without a keeper the advice is a command as well, not an option of this one.
	ctl rollout --port 8080 --proto udp abort 2>/dev/null || true
	kill_keeper 8080 udp
	refused 1 ctl drain --port 8080 --proto udp slot:0
	says "another program" "nothing was changed ('reuseportctl attach --port 8080 --proto udp --netns $NS --force')"
	refused 1 ctl attach --port 8080 --proto udp
	says "another program" "--force"
	run -0 --separate-stderr ctl attach --port 8080 --proto udp --force
	ctl detach --port 8080 --proto udp
	attach --port 8080 --proto udp
	start_worker --port 8080 --proto udp --classic-program
	refused 1 ctl attach --port 8080 --proto udp
	says "another program" "--force"
	succeeds ctl attach --port 8080 --proto udp --force
	[[ $output == *"had lost the program, which was put back"* ]] || fail "$output"
	equal "$(status 8080 udp '.program | "\(.attached) \(.foreign)"')" "true false"
	succeeds ctl attach --port 8080 --proto udp
	[[ $output == *"is steered already"* ]] || fail "$output"
}
