#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Ours is what this bpffs has pinned, and never a program's name: with another bpffs, as in a
# container, nothing is taken over, emptied or taken off by mistake. A command that sees no
# process of the server, in another PID namespace, changes nothing and says so.
load common.bash

setup() {
	begin_test
	start_stranger --port 8080 --sockets 2
	first=$worker_cookies
}

teardown() {
	if [ -n "${covered:-}" ]; then
		ctl detach --port 8080 || true
		wait_until 10 umount /sys/fs/bpf
	fi
	end_strangers
	end_test
}

# container [bpffs] [pid]: what "inside" runs in has a mount namespace of its own, with a
# bpffs and a PID namespace of its own if that is said.
container() {
	local bpffs= flags=(--mount)
	case " $* " in *" bpffs "*) bpffs='mount -t bpf -o mode=0700 bpf /sys/fs/bpf &&' ;; esac
	case " $* " in *" pid "*) flags=(--mount --pid --fork --mount-proc --kill-child) ;; esac
	spawn "$BATS_TEST_TMPDIR/container" unshare "${flags[@]}" \
		sh -c "$bpffs echo ready && exec sleep 300"
	wait_until 15 grep -q ready "$BATS_TEST_TMPDIR/container"
	inner=$spawned
	case " $* " in *" pid "*) inner=$(pgrep -P "$spawned") ;; esac
}

inside() {
	nsenter --target "$inner" --mount --pid "$@" 3>&-
}

there() {
	local command=$1
	shift
	inside "$REUSEPORTCTL" "$command" --netns "$NS" "$@"
}

# What holds for the attachment here. It must be the same after all that others do.
state_here() {
	look 8080 tcp .program | jq -r '.groups[0] | [.damaged, .keeper.pid, .keeper.running, .program.attached,
		.rules, .workers | if type == "array" then map([.slot, .cookie, .state]) else . end] | tojson'
}

# Packets are steered, and the keeper here sees who joins.
goes_on() {
	local selected
	selected=$(balanced 8080 tcp .counters.selected)
	serves 8080
	equal "$(($(balanced 8080 tcp .counters.selected) - selected))" 20 "selected"
	start_stranger --port 8080
	wait_until 15 joined "$worker_cookies"
	serves 8080
}

joined() {
	workers_of $STRANGER 8080 tcp | grep -qw "$1"
}

# refused_there STATUS COMMAND ARGS...: and nothing has changed here.
refused_there() {
	local before
	before=$(state_here)
	refused "$1" there "${@:2}"
	equal "$(state_here)" "$before" "after $2"
}

# ------------------------------------------------------------- another bpffs

@test "ours: attach with another bpffs does not take the group over" {
	attach --port 8080 --policy consistent
	container bpffs
	refused_there 1 attach --port 8080
	says reuseport_steer "not pinned here" "another bpffs" "force"
	equal "$(inside ls /sys/fs/bpf | grep reuseport || true)" "" "pins there"
	goes_on
}

@test "ours: detach with another bpffs does not take the program off" {
	attach --port 8080
	container bpffs
	refused_there 1 detach --port 8080
	says "not pinned here" "another bpffs" "nothing was changed"
	goes_on
}

@test "ours: other commands with another bpffs find nothing" {
	local command
	attach --port 8080
	container bpffs
	for command in "drain --port 8080 slot:0" "weight --port 8080 slot:0 3" \
		"policy --port 8080 consistent" "rollout --port 8080 begin" "admit --port 8080"; do
		refused_there 3 $command
		says "nothing is attached"
	done
	goes_on
}

@test "ours: an attachment there, and the commands here" {
	container bpffs
	there attach --port 8080 >/dev/null
	refused 1 ctl attach --port 8080
	says "not pinned here" "another bpffs"
	refused 1 ctl detach --port 8080
	says "not pinned here" "another bpffs"
	equal "$(pins_of "$NS_INODE")" "" "pins here"
	equal "$(there status --port 8080 --json | jq -c '.groups[0] |
		[.keeper.running, .program.attached, (.workers | length)]')" "[true,true,2]"
	there detach --port 8080 >/dev/null
	untouched 8080
}

# As build_foreign, but its program has our program's name.
build_namesake() {
	local file
	for file in foreign.c foreign.bpf.c; do
		sed 's/foreign_pass/reuseport_steer/' "$RP_ROOT/tests/helpers/$file" >"$BATS_TEST_TMPDIR/$file"
	done
	clang -g -O2 -target bpf -idirafter "/usr/include/$(gcc -print-multiarch)" \
		-c "$BATS_TEST_TMPDIR/foreign.bpf.c" -o "$BATS_FILE_TMPDIR/foreign.bpf.o"
	gcc -std=gnu11 -D_GNU_SOURCE -o "$BATS_FILE_TMPDIR/foreign" "$BATS_TEST_TMPDIR/foreign.c" -lbpf
}

@test "ours: a program that only has the name" {
	local id
	build_namesake
	id=$(foreign "$worker_pid" pass)
	equal "$(program_on 8080)" reuseport_steer
	refused 1 ctl attach --port 8080
	says "not pinned here" "id $id"
	refused 1 ctl detach --port 8080
	says "not pinned here" "id $id"
	equal "$(program_id_on 8080)" "$id"
	# Put in place of ours: the pins know better than the name.
	succeeds ctl attach --port 8080 --force
	id=$(foreign "$worker_pid" pass)
	equal "$(status 8080 tcp .program.attached)" false
	succeeds ctl detach --port 8080
	equal "$(program_id_on 8080)" "$id"
}

# -------------------------------------------------------- another PID namespace

@test "ours: detach from another PID namespace fails whole and says why" {
	attach --port 8080
	container pid
	refused_there 1 detach --port 8080
	says "no process that is visible here" "PID namespace of the server" "nothing was changed"
	goes_on
	# Here it works, as nothing was changed.
	succeeds ctl detach --port 8080
	untouched 8080
}

@test "ours: detach from another PID namespace without a keeper" {
	attach --port 8080
	kill_keeper 8080 tcp
	container pid
	refused_there 1 detach --port 8080
	says "no process that is visible here" "nothing was changed"
	succeeds ctl detach --port 8080
	untouched 8080
}

@test "ours: attach from another PID namespace" {
	container pid
	refused 1 there attach --port 8080
	says "PID namespace"
	equal "$(pins_of "$NS_INODE")" "" "pins"
	untouched 8080
	attach --port 8080
	refused_there 1 attach --port 8080
	says "PID namespace"
	goes_on
}

@test "ours: commands from another PID namespace do what needs no process" {
	attach --port 8080 --policy weighted
	container pid
	there weight --port 8080 slot:0 5 >/dev/null
	equal "$(status 8080 tcp '.workers[0].weight')" 5
	there drain --port 8080 slot:1 >/dev/null
	equal "$(status 8080 tcp '.workers[1].state')" draining
	equal "$(there status --port 8080 --json | jq '.groups[0].keeper.running')" true
	there undrain --port 8080 slot:1 >/dev/null
	goes_on
}

@test "ours: a container with a bpffs and a PID namespace of its own" {
	attach --port 8080
	container bpffs pid
	refused_there 1 attach --port 8080
	refused_there 1 detach --port 8080
	says "not pinned here"
	# By force as well: there is no process to reach it through.
	refused_there 1 detach --port 8080 --force
	says "no process that is visible here"
	refused_there 1 attach --port 8080 --force
	goes_on
}

# --------------------------------------------------------- a member of the group

# As the kernel lets every member do, without any right.
@test "ours: a member replaces the program by a classic filter" {
	attach --port 8080
	spawn "$BATS_TEST_TMPDIR/replaced" python3 -c "
import ctypes, os, socket, struct, time
os.setgroups([]); os.setgid($STRANGER); os.setuid($STRANGER)
s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
s.bind(('0.0.0.0', 8080)); s.listen()
code = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))
s.setsockopt(socket.SOL_SOCKET, 51, struct.pack('HP', 1, ctypes.addressof(code)))
s.close()
print('ready', flush=True); time.sleep(60)"
	wait_until 15 grep -q ready "$BATS_TEST_TMPDIR/replaced"
	equal "$(status 8080 tcp .program.attached)" false
	succeeds ctl status --port 8080
	[[ $output == *"not on the group any more"*"attach --port 8080"* ]] || fail "status says: $output"
	serves 8080
	# What is not ours stays.
	succeeds ctl detach --port 8080
	equal "$(ctl list --port 8080 --json | jq -c '.groups[0].steered')" false
	equal "$(pins_of "$NS_INODE")" "" "pins"
	serves 8080
}

# A second bpffs is mounted over the first, as some scripts do: no command sees the pins below.
@test "ours: a keeper whose bpffs is covered goes on, until the group is another's" {
	local keeper
	attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	mount -t bpf -o mode=0700 bpf /sys/fs/bpf
	covered=1
	start_stranger --port 8080
	wait_until 5 grep -q "8080: 3 workers" "$BATS_TEST_TMPDIR/keeper.log"
	refused 1 ctl attach --port 8080
	says "not pinned here"
	ctl attach --port 8080 --force
	ctl detach --port 8080
	wait_until 20 gone "$keeper"
	equal "$("$REUSEPORTCTL" list --netns "$NS" --port 8080 --json 3>&- |
		jq -c '[.groups[].program]')" "[null]" "program after the detach"
	ctl attach --port 8080
	equal "$(status 8080 tcp '[.keeper.running, (.workers | length)] | tojson')" "[true,3]"
	ctl detach --port 8080
	# The keeper that this detach ends may have it open for a moment.
	wait_until 10 umount /sys/fs/bpf
	covered=
	# Nobody keeps what was covered.
	ctl detach --port 8080
}
