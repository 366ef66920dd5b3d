#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# All programs of the host call setsockopt() and getsockopt() through the hooks of the socket
# options: each call gets the same answer with the hooks as without.
load ../bash/lib.bash

setup() {
	begin_test
	# Room for long socket filters; before 6.8 it is the whole machine's.
	[ -z "${RP_KERNEL:-}" ] || echo 131072 >/proc/sys/net/core/optmem_max
}

teardown() {
	[ -z "${CGROUP:-}" ] || rmdir "$CGROUP"
	rm -rf /sys/fs/bpf/other
	end_test
}

cgroup_root() {
	awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts
}

# hooks_at_root: those of this toolkit, or of anyone, that all calls go through.
hooks_at_root() {
	bpftool cgroup show "$(cgroup_root)" |
		grep -c 'cgroup_[gs]etsockopt'
}

no_hooks_at_root() {
	[ "$(hooks_at_root)" -eq 0 ]
}

# With an attachment there are hooks, of a group that has nothing to do with the calls.
hook() {
	start_workers 2 --port 8080
	attach --port 8080
	[ -e "$PINS/hooks/setsockopt" ] && [ -e "$PINS/hooks/getsockopt" ] || fail "there are no hooks"
}

# sockopts MODE OUT: in a namespace of its own, where filters may be long.
sockopts() {
	new_netns
	in_netns "$new_ns" sh -c 'echo 4096 >/proc/sys/net/ipv4/igmp_max_msf'
	in_netns "$new_ns" timeout 60 "$HELPERS/sockopts" "$1" >"$2" || fail "sockopts $1: $?"
}

# says LINE...: among those of the run with the hooks.
says() {
	local line
	for line; do
		grep -qxF -- "$line" "$BATS_TEST_TMPDIR/with" ||
			fail "no '$line' but: $(grep -F -- "${line%%:*}:" "$BATS_TEST_TMPDIR/with")"
	done
}

# ----------------------------------------------------------------- the system calls

@test "sockopt host: long values come through whole, both ways" {
	hook
	sockopts all "$BATS_TEST_TMPDIR/with"
	says "udp set IP_MSFILTER 8016: 0 0" "udp set MCAST_MSFILTER 8080: 0 0" \
		"tcp set SO_BINDTODEVICE 2: 0 0" "unix set SO_RCVBUF 4: 0 0" \
		"netlink set NETLINK_ADD_MEMBERSHIP 4: 0 0" "udp6 has a label"
	[ "$(cat /proc/sys/net/core/optmem_max)" -lt 131072 ] ||
		says "udp set SO_ATTACH_FILTER 16: 0 0"
	grep -q '^udp get IP_MSFILTER 8016: 0 0 8016 .*, as set' "$BATS_TEST_TMPDIR/with"
	grep -q '^udp get MCAST_MSFILTER 8080: 0 0 8080 .*, as set' "$BATS_TEST_TMPDIR/with"
	grep -q '^udp6 get MCAST_MSFILTER 8080: 0 0 8080 .*, as set' "$BATS_TEST_TMPDIR/with"
	grep -q '^tcp get TCP_INFO 104: 0 0 104 ' "$BATS_TEST_TMPDIR/with"
	grep -q '^tcp get SO_PEERNAME 16: 0 0 16 ' "$BATS_TEST_TMPDIR/with"
}

@test "sockopt host: each kind of socket gets the same answers as without" {
	wait_until 20 no_hooks_at_root 2>/dev/null || skip "other hooks are at the root of cgroup2"
	sockopts all "$BATS_TEST_TMPDIR/without"
	no_hooks_at_root || skip "other hooks came to the root of cgroup2 meanwhile"
	hook
	sockopts all "$BATS_TEST_TMPDIR/with"
	diff "$BATS_TEST_TMPDIR/without" "$BATS_TEST_TMPDIR/with" || fail "other answers"
	# Each kind of socket was there, or this kernel has none of it.
	equal "$(cut -d' ' -f1 "$BATS_TEST_TMPDIR/with" | sort -u | paste -sd' ')" \
		"icmp icmp6 io_uring mptcp netlink no packet tcp tcp6 udp udp6 unix" "kinds"
	grep 'no such socket\|io_uring' "$BATS_TEST_TMPDIR/with" | sed 's/^/# /' >&3 || true
}

# docs/limits.md has it.
@test "sockopt host: what the kernel itself answers otherwise with any hook" {
	hook
	sockopts beyond "$BATS_TEST_TMPDIR/with"
	says "4 of tcp set SO_KEEPALIVE 4: 0 0" "4 of tcp set SO_KEEPALIVE 5: -1 EFAULT" \
		"4 of tcp set SO_KEEPALIVE 4096: -1 EFAULT" \
		"4 of tcp set SO_KEEPALIVE 1048576: -1 EFAULT" \
		"4096 of tcp set SO_KEEPALIVE 1048576: 0 0"
}

# ---------------------------------------------------------------- programs of others

# cgroup_of_other: a cgroup with another tool's programs, $CGROUP.
cgroup_of_other() {
	local what
	CGROUP=$(cgroup_root)/${NS//[^a-z0-9]/}
	mkdir "$CGROUP"
	bpftool prog loadall "$HELPERS/other_sockopt.bpf.o" /sys/fs/bpf/other
	for what in set get; do
		bpftool cgroup attach "$CGROUP" cgroup_${what}sockopt pinned "/sys/fs/bpf/other/other_$what" multi
	done
}

# in_cgroup COMMAND...: its sockets are this cgroup's.
in_cgroup() (
	echo "$BASHPID" >"$CGROUP/cgroup.procs"
	exec nsenter --net="/run/netns/$NS" "$@"
)

@test "sockopt host: another tool's programs keep their say" {
	cgroup_of_other
	hook
	in_cgroup "$HELPERS/sockopts" other >"$BATS_TEST_TMPDIR/with"
	cat "$BATS_TEST_TMPDIR/with"
	says "tcp set other 4: 0 0" "tcp set 70 4: 0 0" "SO_RCVBUF is 40000"
	grep -q '^tcp get other 4: 0 0 4 .*, as set$' "$BATS_TEST_TMPDIR/with"
}

# ----------------------------------------------------------------------- iptables

# rules N: as "iptables-save" prints them.
rules() {
	seq "$1" | awk '{
		printf "-A INPUT -s 10.%d.%d.%d/32 -p tcp -m tcp --dport %d -j ACCEPT\n",
			$1 / 65536, $1 / 256 % 256, $1 % 256, $1 }'
}

# restore VARIANT N: into a namespace of its own. Its error is in $error.
restore() {
	new_netns
	error=$({ echo '*filter'; echo ':INPUT ACCEPT [0:0]'; rules "$2"; echo COMMIT; } |
		in_netns "$new_ns" timeout 120 "iptables-$1-restore" -w 60 2>&1)
}

# count VARIANT: of the rules.
count() {
	in_netns "$new_ns" "iptables-$1" -w 60 -S INPUT | grep -c -- '-j ACCEPT'
}

# restored VARIANT N: all are there, in order, and can be read and changed.
restored() {
	restore "$1" "$2" || fail "$2 rules: $error"
	in_netns "$new_ns" timeout 120 "iptables-$1-save" | grep '^-A' |
		diff - <(rules "$2") >"$BATS_TEST_TMPDIR/differs" || fail "$(head "$BATS_TEST_TMPDIR/differs")"
	equal "$(count "$1")" "$2" "rules"
	in_netns "$new_ns" "iptables-$1" -w 60 -D INPUT 2
	equal "$(count "$1")" $(($2 - 1)) "rules after one was deleted"
}

# tables VARIANT: first without an attachment: what this kernel has. A few rules are less than a
# page, many are more.
tables() {
	command -v "iptables-$1-restore" >/dev/null || skip "no iptables-$1-restore"
	restore "$1" 2000 || skip "Linux $(uname -r): $error"
	hook
	restored "$1" 3
	restored "$1" 2000
}

@test "sockopt host: iptables-restore of 2,000 rules, legacy" {
	tables legacy
}

@test "sockopt host: iptables-restore of 2,000 rules, nft" {
	tables nft
}
