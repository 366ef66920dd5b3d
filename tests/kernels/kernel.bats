#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What only a kernel of one's own can show, and shorter forms of tests that need a
# compiler, or take too long where the processor is emulated.
load ../cli/common.bash
load ../bash/policies.bash

setup() {
	begin_test
}

teardown() {
	end_test
}

@test "kernel: without any of what can be replaced" {
	local proto
	export REUSEPORT_DISABLE=events,migration,plain-reads,iterators
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto --sockets 3
		succeeds ctl attach --port 8080 --proto $proto
		serves 8080 $proto
		equal "$(status 8080 $proto '"\(.workers | length) \(.counters.selected)"')" "3 20" \
			"workers, selected"
	done
}

@test "kernel: no BTF" {
	[ ! -e "/boot/vmlinux-$(uname -r)" ] || skip "the kernel's BTF is in /boot too"
	start_worker --port 8080
	refused 1 unshare -m sh -ec 'mount -t tmpfs none /sys/kernel/btf; exec "$@"' sh \
		"$REUSEPORTCTL" attach --netns "$NS" --port 8080
	says BTF CONFIG_DEBUG_INFO_BTF
	untouched 8080
}

# Only where nobody else needs the module.
@test "kernel: sock_diag's module is missing" {
	[ -n "${RP_KERNEL:-}" ] || skip "only in a guest"
	[ -e /sys/module/tcp_diag/refcnt ] || skip "it is built in"
	start_worker --port 8080
	rmmod tcp_diag
	run --separate-stderr ctl attach --port 8080
	# The tests that follow need it.
	insmod /modules/*-tcp_diag.ko
	equal "$status" 1 "exit status, with '$stderr'"
	message=$stderr
	says tcp_diag modprobe
	untouched 8080
}

@test "kernel: list, by the socket iterators" {
	start_worker --port 8080 --sockets 2
	attach --port 8080
	start_worker --port 8080 --sockets 3 --proto udp --addr ::1
	start_worker --port 8081 --no-reuseport
	equal "$(ctl list --json | jq -c '.groups | map([.proto, .addr, .sockets, .steered,
		.program.name]) | sort')" \
		'[["tcp","0.0.0.0",2,true,"reuseport_steer"],["udp","::1",3,false,null]]'
}

# One worker on each of the first two nodes.
@test "kernel: numa, the worker of the packet's node" {
	local node cpus=() proto i
	for node in 0 1; do
		cpus[node]=$(cat "/sys/devices/system/node/node$node/cpulist") || skip "there is one node"
		cpus[node]=${cpus[node]%%[-,]*}
	done 2>/dev/null
	for proto in tcp udp; do
		here $proto
		start_workers 2 --port 8080 --proto $proto
		for i in 0 1; do
			taskset -cp "${cpus[i]}" "${worker_pids[i]}" >/dev/null
		done
		attach --port 8080 --proto $proto --policy numa
		for i in 0 1; do
			equal "$(in_ns taskset -c "${cpus[i]}" "$HELPERS/client" --proto $proto --to "$to" \
				--count 50 | answers_by_worker)" "${worker_ids[i]} 50" "node $i, $proto"
		done
		balanced 8080 $proto
	done
}
