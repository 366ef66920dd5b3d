#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Who may: without root, or without one capability, the message names it and
# nothing is changed.
load common.bash

setup() {
	begin_test
	# Where other users reach it.
	SHARED=$(mktemp -d)
	chmod 755 "$SHARED"
	cp "$REUSEPORTCTL" "$SHARED/reuseportctl"
	cp "$HELPERS/worker" "$SHARED/worker"
}

teardown() {
	end_test
	rm -rf "$SHARED"
}

# In the namespace, so that entering it is not what fails.
without() {
	local caps=$1
	shift
	in_ns setpriv --inh-caps="$caps" --bounding-set="$caps" "$SHARED/reuseportctl" "$@" 3>&-
}

nobody() {
	in_ns setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 3>&-
}

@test "capabilities: not root" {
	start_worker --port 8080
	refused 1 nobody "$SHARED/reuseportctl" attach --port 8080
	says "run as root"
	untouched 8080
	attach --port 8080
	refused 1 nobody "$SHARED/reuseportctl" status --port 8080
	says "run as root" CAP_BPF CAP_NET_ADMIN CAP_PERFMON
	refused 1 nobody "$SHARED/reuseportctl" status --json
	says "run as root"
	refused 1 nobody "$SHARED/reuseportctl" detach --port 8080
	says "run as root" CAP_BPF
	equal "$(status 8080 tcp .program.attached)" true
	equal "$(status 8080 tcp .keeper.running)" true
}

@test "capabilities: not root is told at once, with all that is missing" {
	start_worker --port 8080
	refused 1 nobody "$SHARED/reuseportctl" attach --port 8080
	says CAP_BPF CAP_NET_ADMIN CAP_PERFMON CAP_SYS_PTRACE
	# Waiting would not bring them.
	refused 1 nobody timeout 5 "$SHARED/reuseportctl" attach --port 8081 --wait
	says CAP_BPF
}

@test "capabilities: root without one is not told to be root" {
	start_worker --port 8080
	refused 1 without -sys_ptrace attach --port 8080
	says "missing CAP_SYS_PTRACE" "this root does not have it"
	says_not "run as root"
	untouched 8080
}

@test "capabilities: not root, another namespace" {
	start_worker --port 8080
	refused 1 setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$SHARED/reuseportctl" attach --port 8080 --netns "$NS"
	says root
	untouched 8080
}

@test "capabilities: the owner of the workers, but not root" {
	spawn "$BATS_TEST_TMPDIR/worker" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$SHARED/worker" --port 8080
	wait_until 10 grep -q ^ready "$BATS_TEST_TMPDIR/worker"
	refused 1 nobody "$SHARED/reuseportctl" attach --port 8080
	says CAP_BPF CAP_NET_ADMIN CAP_PERFMON "root"
	untouched 8080
}

# One missing: those named, the others not.
missing() {
	local caps=$1 name=$2 command
	start_worker --port 8080
	refused 1 without "$caps" attach --netns "$NS" --port 8080
	says "$name" root
	untouched 8080
	attach --port 8080
	for command in "detach --port 8080" "status --port 8080"; do
		refused 1 without "$caps" $command --netns "$NS"
		says "missing $name;" root
	done
	equal "$(status 8080 tcp .program.attached)" true
	equal "$(status 8080 tcp .keeper.running)" true
	serves 8080
}

@test "capabilities: without CAP_BPF" {
	missing -bpf,-sys_admin CAP_BPF
}

@test "capabilities: without CAP_NET_ADMIN" {
	missing -net_admin CAP_NET_ADMIN
}

@test "capabilities: without CAP_PERFMON" {
	missing -perfmon,-sys_admin CAP_PERFMON
}

@test "capabilities: without CAP_SYS_PTRACE" {
	missing -sys_ptrace CAP_SYS_PTRACE
}

@test "capabilities: without several" {
	start_worker --port 8080
	refused 1 without -net_admin,-bpf,-sys_admin attach --netns "$NS" --port 8080
	says CAP_BPF CAP_NET_ADMIN
	says_not CAP_PERFMON
	untouched 8080
}

@test "capabilities: CAP_SYS_ADMIN stands for CAP_BPF and CAP_PERFMON" {
	start_worker --port 8080
	succeeds without -bpf,-perfmon attach --netns "$NS" --port 8080
	in_sync 8080 tcp
	succeeds without -bpf,-perfmon detach --netns "$NS" --port 8080
	untouched 8080
}

# For TCP in the own namespace it is needed nowhere.
@test "capabilities: without CAP_SYS_ADMIN, TCP" {
	start_worker --port 8080
	succeeds without -sys_admin attach --netns "$NS" --port 8080
	start_worker --port 8080
	wait_until 2 in_sync 8080 tcp
	succeeds without -sys_admin status --netns "$NS" --port 8080 --json
	equal "$(jq '.groups[0].workers | length' <<<"$output")" 2 workers
	equal "$(jq '.groups[0].program.attached' <<<"$output")" true attached
	succeeds without -sys_admin list --netns "$NS" --json
	equal "$(jq '.groups[0].steered' <<<"$output")" true steered
	serves 8080
	succeeds without -sys_admin detach --netns "$NS" --port 8080
	untouched 8080
}

# By events or, where the kernel wants more for those, by polling.
@test "capabilities: without CAP_SYS_ADMIN, UDP" {
	start_worker --port 5300 --proto udp
	run --separate-stderr without -sys_admin attach --netns "$NS" --port 5300 --proto udp
	equal "$status" 0 "$stderr"
	[ -z "$stderr" ] || [[ $stderr == *polled* ]] || fail "$stderr"
	start_worker --port 5300 --proto udp
	wait_until 1 in_sync 5300 udp
	succeeds without -sys_admin detach --netns "$NS" --port 5300 --proto udp
	untouched 5300 udp
}

@test "capabilities: without CAP_SYS_ADMIN, another namespace" {
	local here=$NS
	start_worker --port 8080
	new_netns
	refused 1 without -sys_admin attach --netns "$new_ns" --port 8080
	says CAP_SYS_ADMIN root
	untouched 8080
}

# What is not seen is "?" and a word, never "none".
@test "capabilities: list, without any, in its own namespace and in others" {
	local named=$NS there
	start_workers 2 --port 8080
	spawn "$BATS_TEST_TMPDIR/own" setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$SHARED/worker" --port 8081
	own=$spawned
	wait_until 10 grep -q ^ready "$BATS_TEST_TMPDIR/own"
	attach --port 8080
	# Another's sockets are there; whether they are a group, and its program, is not known.
	succeeds nobody "$SHARED/reuseportctl" list --port 8080 --json
	equal "$(jq -c '.groups | map([.port, .sockets, .state, .is_group, .program_known, .program,
		.unowned, .unowned_reason])' <<<"$output")" \
		'[[8080,2,"unknown",false,false,null,2,"no-permission"]]'
	succeeds nobody "$SHARED/reuseportctl" list --port 8081 --json
	equal "$(jq -c '.groups | map([.state, .is_group, .program_known, .processes[].pid])' <<<"$output")" \
		"[[\"unknown\",true,false,$own]]" "of its own"
	succeeds nobody "$SHARED/reuseportctl" list --port 8080
	grep -Eq '^tcp +0.0.0.0:8080 .* 2 \? \(no-permission\) +0 +8192 unknown +\?$' <<<"$output" ||
		fail "$output"
	grep -q '^not seen: programs: .*CAP_BPF' <<<"$output" || fail "$output"
	grep -q '^not seen: pins: ' <<<"$output" || fail "$output"
	grep -q '^not seen: namespaces: .*CAP_SYS_PTRACE' <<<"$output" || fail "$output"
	# From another namespace.
	new_netns
	NS=$new_ns
	run -1 --separate-stderr nobody "$SHARED/reuseportctl" list --netns "$named"
	grep -Eq "^\? +\? +$named +\? +\? +\? +\? no-permission +\?\$" <<<"$output" || fail "$output"
	run -1 --separate-stderr nobody "$SHARED/reuseportctl" list --netns "$named" --json
	equal "$(jq -c '.groups, [.unseen[] | select(.netns) | [.what, .netns_name]]' <<<"$output" | xargs)" \
		"[] [[namespace,$named]]"
	run -1 --separate-stderr nobody "$SHARED/reuseportctl" list --port 8080
	[[ $stderr == *"no group that can be seen matches"* ]] || fail "$stderr"
	NS=$named
}

# Without one capability the rest is seen, and what is missing is named.
@test "capabilities: list, without one" {
	local cap
	start_workers 2 --port 8080
	for cap in bpf perfmon; do
		succeeds without "-$cap,-sys_admin" list --netns "$NS" --port 8080
		grep -Eq ' unknown +\?$' <<<"$output" || fail "without $cap: $output"
		grep -q "^not seen: programs: .*CAP_${cap^^}" <<<"$output" || fail "without $cap: $output"
	done
	attach --port 8080
	succeeds without -net_admin list --netns "$NS" --port 8080 --json
	equal "$(jq -c '[.groups[0].state, .unseen]' <<<"$output")" '["steered",[]]'
}

@test "capabilities: help and usage need none" {
	succeeds nobody "$SHARED/reuseportctl" attach --help
	succeeds nobody "$SHARED/reuseportctl" --version
	refused 2 nobody "$SHARED/reuseportctl" attach --port 0
}

# The keeper that an attach leaves behind has that one's privileges, and serves all.
@test "capabilities: a keeper that has too few for another attachment is named" {
	local keeper
	start_worker --port 8080
	in_ns setpriv --bounding-set=-sys_admin --inh-caps=-all "$REUSEPORTCTL" attach --port 8080 3>&-
	record_bpf
	keeper=$(keeper_pid 8080 tcp)
	new_netns
	NS=$new_ns NS_INODE=$new_ns_inode
	start_worker --port 8080
	refused 1 ctl attach --port 8080
	says "process $keeper, the keeper of this host, cannot keep" "CAP_SYS_ADMIN" \
		"'kill $keeper' and attach again"
	equal "$(status 8080 tcp .keeper.running)" false
	kill "$keeper"
	wait_until 5 gone "$keeper"
	succeeds ctl attach --port 8080
	equal "$(status 8080 tcp .keeper.running)" true
}
