# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# A cgroup that stands for the root of the hierarchy, in the test's mounts only: other programs
# can be put there without a change for anybody else. On top of lib.bash.

own_cgroup() {
	CGROUP=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)/${NS//[^a-z0-9]/}
	[ "$CGROUP" != "/${NS//[^a-z0-9]/}" ] || skip "cgroup2 is not mounted"
	mkdir "$CGROUP"
	mount --bind "$CGROUP" "${CGROUP%/*}"
}

unshare_cgroup() {
	[ -n "${CGROUP:-}" ] || return 0
	umount "${CGROUP%/*}"
	# The keeper, which is in the root cgroup, is about to end.
	wait_until 5 rmdir "$CGROUP" 2>/dev/null
}
