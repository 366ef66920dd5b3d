# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a bats run that ended early did not clean up, by RP_RUN, which is part of its
# namespaces' names. Tests check for themselves.

source tests/bash/leaks.bash

tests_run() {
	local file
	for file in $(grep -lz "^RP_RUN=$RP_RUN\$" /proc/[0-9]*/environ 2>/dev/null); do
		! grep -qz bats-exec "${file%environ}cmdline" 2>/dev/null || return 0
	done
	return 1
}

# Waits a while for tests that were told to end: what they end is no leftover.
tests_end() {
	local try
	for try in {1..100}; do
		tests_run || return 0
		sleep 0.2
	done
}

# Removes it, and prints "not ok" for each.
left_over() {
	local name pid

	for pid in $(grep -lz "^RP_RUN=$RP_RUN\$" /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3); do
		case $(readlink "/proc/$pid/exe") in
		*reuseportctl*)
			echo "not ok - keeper $pid was left behind"
			kill -KILL "$pid"
			;;
		esac
	done

	for name in $(ip netns list | grep -o "^rp-$RP_RUN-[0-9]*"); do
		echo "not ok - namespace $name was left behind"
		detach_all "$name" "$(stat -L -c %i "/run/netns/$name")"
		ip netns pids "$name" | xargs -r kill -KILL
		ip netns del "$name"
	done
}
