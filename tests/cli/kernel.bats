#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A kernel or a system that lacks something: simulated by a seccomp filter
# (nosys.c), by hiding files, or by REUSEPORT_DISABLE.
load common.bash

setup_file() {
	gcc -std=gnu11 -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/nosys" \
		"$RP_ROOT/tests/helpers/nosys.c"
	build_foreign
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# lacking WHAT COMMAND ARG...
lacking() {
	local what=$1 command=$2
	shift 2
	"$BATS_FILE_TMPDIR/nosys" "$what" "$REUSEPORTCTL" "$command" --netns "$NS" "$@" 3>&-
}

# In a mount namespace of its own, in which SCRIPT has changed something.
elsewhere() {
	local script=$1
	shift
	unshare -m sh -ec "$script; exec \"\$@\"" sh "$REUSEPORTCTL" "$@" 3>&-
}

@test "kernel: no pidfd_getfd (5.6)" {
	start_worker --port 8080
	refused 1 lacking pidfd_getfd attach --port 8080
	says pidfd_getfd "5.6"
	untouched 8080
}

@test "kernel: no pidfd_open (5.3)" {
	start_worker --port 8080
	refused 1 lacking pidfd_open attach --port 8080
	says pidfd_ "5.6"
	untouched 8080
}

@test "kernel: no bpf()" {
	start_worker --port 8080
	refused 1 lacking bpf attach --port 8080
	says_not "Unknown error"
	says "kernel"
	untouched 8080
}

@test "kernel: programs are refused" {
	start_worker --port 8080
	refused 1 lacking prog_load attach --port 8080
	says "steering program"
	untouched 8080
}

@test "kernel: no SO_DETACH_REUSEPORT_BPF (5.3)" {
	start_worker --port 8080
	attach --port 8080
	refused 1 lacking detach detach --port 8080
	says "5.3"
	# All that steering needs is still there.
	equal "$(status 8080 tcp .program.attached)" true
	equal "$(status 8080 tcp '.workers | length')" 1 workers
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20 selected
}

@test "kernel: no BTF" {
	start_worker --port 8080
	[ ! -e "/boot/vmlinux-$(uname -r)" ] || skip "the kernel's BTF is in /boot too"
	refused 1 elsewhere "mount -t tmpfs none /sys/kernel/btf" attach --netns "$NS" --port 8080
	says BTF CONFIG_DEBUG_INFO_BTF
	untouched 8080
}

@test "kernel: list without socket iterators goes by sock_diag" {
	start_workers 2 --port 8080
	succeeds lacking prog_load list --json
	equal "$(jq -c '.groups | map([.port, .sockets, .program_known, .program])' <<<"$output")" \
		'[[8080,2,false,null]]'
}

@test "kernel: without any of what can be replaced" {
	local disable
	start_workers 2 --port 8080
	for disable in events migration plain-reads iterators \
		events,migration,plain-reads,iterators; do
		REUSEPORT_DISABLE=$disable succeeds ctl attach --port 8080
		in_sync 8080 tcp
		serves 8080
		equal "$(status 8080 tcp .counters.selected)" 20 "selected, without $disable"
		succeeds ctl detach --port 8080
		untouched 8080
	done
}

@test "kernel: an unknown word in REUSEPORT_DISABLE" {
	local value
	start_worker --port 8080
	for value in event events,x ,events; do
		REUSEPORT_DISABLE=$value refused 2 ctl attach --port 8080
		says REUSEPORT_DISABLE events migration plain-reads iterators
	done
	untouched 8080
}

# ------------------------------------------------------------------- bpffs

# Something like a container: process 1 and its mounts are the test's own. The
# server is in it, as it is found through /proc. SCRIPT has the tool as $1.
container() {
	local out=$BATS_TEST_TMPDIR/container
	: >"$out"
	in_ns unshare -m --pid --fork --kill-child --mount-proc sh -ec "
		\"\$2\" --port 8080 >\"\$3\" &
		for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
			! grep -q ^ready \"\$3\" || break
			sleep 0.1
		done
		$1" sh "$REUSEPORTCTL" "$HELPERS/worker" "$out" "$NS" 3>&-
}

# "ip netns exec" gives a command a private /sys without bpffs; pins made there
# would go with it. They are made where process 1 sees them.
@test "bpffs: hidden in a private mount namespace, that of process 1 is used" {
	run --separate-stderr container '
		unshare -m sh -ec "umount /sys/fs/bpf; exec \"\$@\"" sh "$1" attach --port 8080 >&2
		"$1" status --netns "$4" --json
		unshare -m sh -ec "umount /sys/fs/bpf; exec \"\$@\"" sh "$1" status --netns "$4" --json
		unshare -m sh -ec "umount /sys/fs/bpf; exec \"\$@\"" sh "$1" detach --port 8080 >&2'
	equal "$status" 0 "exit status, with '$stderr'"
	equal "$(jq -sc 'map(.groups | length)' <<<"$output")" "[1,1]" "groups, outside and inside"
	equal "$(pins_of "$NS_INODE")" "" pins
}

# The tool where process 1 is.
outside() {
	nsenter --mount=/proc/1/ns/mnt "$tool" "$@"
}

# The same on the host, where not even root may always look into process 1.
@test "bpffs: under 'ip netns exec'" {
	local tool=$REUSEPORTCTL
	start_worker --port 8080
	if stat /proc/1/root/sys/fs/bpf >/dev/null 2>&1; then
		succeeds ip netns exec "$NS" "$REUSEPORTCTL" attach --port 8080
		# That is not the bpffs of this test.
		REUSEPORTCTL=outside in_sync 8080 tcp
		record "$(REUSEPORTCTL=outside keeper_pid 8080 tcp)"
		succeeds ip netns exec "$NS" "$REUSEPORTCTL" detach --port 8080
	else
		refused 1 ip netns exec "$NS" "$REUSEPORTCTL" attach --port 8080
		says "bpffs is not mounted" "network namespace" "(--netns NAME)" "ip netns exec" "mount -t bpf"
	fi
	untouched 8080
}

@test "bpffs: not mounted anywhere, in a private mount namespace" {
	refused 1 container 'umount /sys/fs/bpf; unshare -m "$1" attach --port 8080'
	says "bpffs is not mounted" "network namespace" "(--netns NAME)" "mount -t bpf -o mode=0700 bpf /sys/fs/bpf"
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "bpffs: not mounted and may not be" {
	refused 1 container 'umount /sys/fs/bpf
		setpriv --inh-caps -sys_admin --bounding-set -sys_admin "$1" attach --port 8080'
	says "bpffs is not mounted" "mount -t bpf -o mode=0700 bpf /sys/fs/bpf" root
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "bpffs: not mounted and cannot be" {
	refused 1 container 'mount -t tmpfs none /sys/fs; "$1" attach --port 8080'
	says "bpffs is not mounted" "mount -t bpf"
}

@test "bpffs: not mounted, then it is mounted" {
	run --separate-stderr container 'umount /sys/fs/bpf
		"$1" attach --port 8080 >&2
		"$1" status --port 8080 --json; "$1" detach --port 8080 >&2
		mountpoint /sys/fs/bpf >&2'
	equal "$status" 0 "exit status, with '$stderr'"
	equal "$(jq '.groups[0].workers | length' <<<"$output")" 1 workers
	equal "$(pins_of "$NS_INODE")" "" "pins on the host"
}

@test "bpffs: without it nothing is steered" {
	refused 3 container 'umount /sys/fs/bpf; "$1" detach --port 8080'
	run --separate-stderr container 'umount /sys/fs/bpf; "$1" status --json'
	equal "$status" 0 "exit status, with '$stderr'"
	equal "$(jq -c . <<<"$output")" '{"groups":[]}'
}
