#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Names in /run/netns that are no network namespace, or that a process can hold: they are
# skipped and named, and nobody waits for them.
load ../cli/common.bash

setup() {
	begin_test
	NAMES=$BATS_TEST_TMPDIR/names
	mkdir "$NAMES" && touch "$NAMES/$NS"
	chmod o+x "$BATS_TEST_TMPDIR" "$BATS_TEST_TMPDIR"/.. "$BATS_TEST_TMPDIR"/../..
}

teardown() {
	end_test
}

# among COMMAND...: where /run/netns has the names that a test made, and this test's namespace.
among() {
	run --separate-stderr timeout -k 1 $((8 * RP_PATIENCE)) nsenter --net="/run/netns/$NS" \
		unshare -m --propagation private bash -c '
		mount --bind "$1" /run/netns
		[ -h "/run/netns/$2" ] || mount --bind /proc/self/ns/net "/run/netns/$2"
		shift 2 && exec "$@"' \
		- "$NAMES" "$NS" "$@" 3>&-
	echo "$*: status $status: $output $stderr"
	[ "$status" -ne 124 ] && [ "$status" -ne 137 ] || fail "it hangs: $*"
}

lists() {
	among "$REUSEPORTCTL" list --netns "$NS" --json
	equal "$status" 0 "list"
	equal "$(jq -c '.groups | map([.port, .netns_name])' <<<"$output")" "[[8080,\"$NS\"]]"
}

names() {
	[[ $stderr == *"/run/netns/$1 is no network namespace: skipped"* ]] || fail "not named: $1"
}

@test "names: a file, a FIFO, a directory and links that are no network namespace" {
	start_worker --port 8080
	touch "$NAMES/file" "$NAMES"/$'raw\e[2J'
	mkfifo "$NAMES/fifo"
	mkdir "$NAMES/directory"
	ln -s loop "$NAMES/loop"
	ln -s file/below "$NAMES/below"
	ln -s nowhere "$NAMES/nowhere"
	ln -s /proc/self/ns/net "$NAMES/self"
	ln -s /proc/$$/ns/mnt "$NAMES/process"
	# As "ip netns" leaves it to those who do not see what is mounted there.
	install -m 0 /dev/null "$NAMES/unseen"
	lists
	[[ $stderr != *unseen* ]] || fail "$stderr"
	for name in file fifo directory loop below self 'raw\x1b[2J'; do
		names "$name"
	done
	among "$REUSEPORTCTL" status
	equal "$status" 0 "status"
	for name in file fifo loop; do
		among "$REUSEPORTCTL" attach --netns "$name" --port 8080
		equal "$status" 1 "attach"
		[[ $stderr == *"/run/netns/$name is no network namespace"* ]] || fail "no reason"
	done
}

@test "names: namespaces of other kinds" {
	start_worker --port 8080
	among sh -c 'cd /run/netns && touch ipc uts && for kind in ipc uts; do
		mount --bind /proc/self/ns/$kind $kind; done && exec "$@"' - \
		"$REUSEPORTCTL" list --netns "$NS" --json
	equal "$status" 0 "list"
	names ipc
	names uts
	equal "$(jq -c '.groups | map(.port)' <<<"$output")" "[8080]"
}

# As "ln -s /proc/PID/ns/net /run/netns/NAME" does for a container.
@test "names: a link to the namespace of a process" {
	start_worker --port 8080
	ln -sf "/proc/$worker_pid/ns/net" "$NAMES/$NS"
	lists
	equal "$stderr" "" "said"
	among "$REUSEPORTCTL" explain --netns "$NS" --src 127.0.0.1:1 --dst 127.0.0.1:8080
	equal "$status" 0 "explain"
}

# stranger HOW: holds it. Sets $held_pid.
stranger() {
	local word
	mknod "$BATS_TEST_TMPDIR/fuse" c 10 229 && chmod 666 "$BATS_TEST_TMPDIR/fuse"
	spawn "$BATS_TEST_TMPDIR/holder" setpriv --reuid 65534 --regid 65534 --clear-groups \
		--bounding-set=-all "$HELPERS/holder" "$1" tcp 127.0.0.2 8081 "$BATS_TEST_TMPDIR/fuse"
	wait_until 10 test -s "$BATS_TEST_TMPDIR/holder" || {
		grep -q 'fuse\|mount\|unshare' "$BATS_TEST_TMPDIR/spawned.log" &&
			skip "no FUSE for users here: $(tail -n 1 "$BATS_TEST_TMPDIR/spawned.log")"
		fail "the holder does not hold"
	}
	read -r word held_pid word <"$BATS_TEST_TMPDIR/holder"
}

# The stranger lets go for a moment now and then.
list_names_held() {
	among "$REUSEPORTCTL" list --netns "$NS" --json
	equal "$status" 0 "list"
	[[ $stderr == *"process $held_pid"*"does not let itself be inspected"* ]]
}

# The process has ended, and its number is now that of a stranger who holds the directory.
@test "names: a link to a process that holds whoever looks at it" {
	start_worker --port 8080
	stranger nsdir
	ln -s "/proc/$held_pid/ns/net" "$NAMES/stale"
	wait_until 30 list_names_held
	among "$REUSEPORTCTL" status
	equal "$status" 0 "status"
}

# Whoever may read a directory can keep others from reading it.
@test "names: the directory is held" {
	local command
	start_worker --port 8080
	chmod 755 "$NAMES"
	stranger "$NAMES"
	for command in "list --json" "status" "status --netns $worker_pid" \
		"attach --netns $worker_pid --port 8080 --log $BATS_TEST_TMPDIR/keeper.log" \
		"policy --port 8080 consistent" "detach --port 8080"; do
		among "$REUSEPORTCTL" $command
		equal "$status" 0 "$command"
	done
}
