#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# features: what the kernel can do for this process. Missing, not permitted and
# failed otherwise are three things.
load common.bash

setup_file() {
	gcc -std=gnu11 -Wall -Wextra -Werror -o "$BATS_FILE_TMPDIR/nosys" \
		"$RP_ROOT/tests/helpers/nosys.c"
}

setup() {
	begin_test
}

teardown() {
	end_test
}

# features CMD...: "NAME STATE" of each, as this command sees them.
features() {
	"$@" "$REUSEPORTCTL" features --json 3>&- | jq -r '.features[] | "\(.name) \(.state)"'
}

# state NAME CMD...
state() {
	local name=$1
	shift
	features "$@" | sed -n "s/^$name //p"
}

@test "features: table and JSON have the same, with since and what is lost" {
	succeeds "$REUSEPORTCTL" features
	diff <(awk 'NR > 1 && NF > 3 && $2 ~ /^[0-9.]+$/ { print $1, $2 }' <<<"$output") \
		<("$REUSEPORTCTL" features --json | jq -r '.features[] | "\(.name) \(.since)"')
	"$REUSEPORTCTL" features --json | jq -e --arg kernel "$(uname -r)" '.kernel == $kernel
		and (.features | length > 15 and all(.name and .since and .what and .without
			and (.needed | type == "boolean"))
		and (map(.name) | length == (unique | length)))'
}

# What steering does here is the proof that what is needed is there.
@test "features: what is needed is available where attach works" {
	start_worker --port 8080
	attach --port 8080
	equal "$(features | sed -n 's/^\(btf\|sk-reuseport\|probe-reads\|pidfd-getfd\) //p' | sort -u)" \
		available
	equal "$(status 8080 tcp .ways.migration)" \
		"$([ "$(state migration)" = available ] && echo select-or-migrate || echo none)"
	equal "$(status 8080 tcp .ways.reads)" \
		"$([ "$(state plain-reads)" = available ] && echo plain || echo probe)"
}

@test "features: asking leaves nothing behind" {
	"$REUSEPORTCTL" features >/dev/null
	wait_until 5 sh -c "! bpftool prog show name reuseport_probe | grep -q ." || fail "a program"
	wait_until 5 sh -c "! bpftool map show name reuseport_probe | grep -q ." || fail "a map"
}

@test "features: missing, where the kernel has not heard of it" {
	equal "$(state pidfd-getfd "$BATS_FILE_TMPDIR/nosys" pidfd_getfd)" missing
	equal "$(state pidfd-getfd "$BATS_FILE_TMPDIR/nosys" pidfd_open)" missing
	equal "$(state detach "$BATS_FILE_TMPDIR/nosys" detach)" missing
	equal "$(state migration "$BATS_FILE_TMPDIR/nosys" prog_load)" missing
	equal "$(state mmap "$BATS_FILE_TMPDIR/nosys" prog_load)" available
	equal "$(features "$BATS_FILE_TMPDIR/nosys" bpf | sed -n 's/^ring-buffer //p')" missing
	# The others are as they were.
	equal "$(state btf "$BATS_FILE_TMPDIR/nosys" pidfd_getfd)" available
}

@test "features: not permitted, without the capability, which is named" {
	local as=(setpriv --bounding-set -all --inh-caps -all)
	run --separate-stderr "${as[@]}" "$REUSEPORTCTL" features --json
	equal "$status" 0
	equal "$(jq -r '.features[] | select(.name == "sk-reuseport") | "\(.state) \(.missing)"' \
		<<<"$output")" "not permitted CAP_BPF"
	equal "$(jq -r '.features[] | select(.name == "plain-reads") | "\(.state) \(.missing)"' \
		<<<"$output")" "not permitted CAP_BPF, CAP_PERFMON"
	equal "$(state btf "${as[@]}")" available

	as=(setpriv --bounding-set -all,+bpf,+net_admin,+sys_ptrace --inh-caps -all)
	equal "$(state sk-reuseport "${as[@]}")" available
	equal "$(state probe-reads "${as[@]}")" "not permitted"
	equal "$(state iterators "${as[@]}")" "not permitted"
}

@test "features: not permitted, though all capabilities are there" {
	equal "$(state pidfd-getfd "$BATS_FILE_TMPDIR/nosys" forbidden_pidfd_getfd)" "not permitted"
	start_worker --port 8080
	refused 1 "$BATS_FILE_TMPDIR/nosys" forbidden_prog_load "$REUSEPORTCTL" attach \
		--netns "$NS" --port 8080
	says "may not use" "seccomp"
	untouched 8080
}

@test "features: failed otherwise" {
	equal "$(state sk-reuseport "$BATS_FILE_TMPDIR/nosys" no_memory)" failed
	start_worker --port 8080
	refused 1 "$BATS_FILE_TMPDIR/nosys" no_memory "$REUSEPORTCTL" attach --netns "$NS" --port 8080
	says "a test of" "failed: " "allocate memory"
	untouched 8080
}

@test "features: cgroup2 is mounted nowhere" {
	# Process 1, which is looked at as well, is in there too.
	equal "$(state cgroup2 unshare -m --pid --fork --mount-proc sh -ec '
		for at in $(findmnt -rn -t cgroup2 -o TARGET); do umount -l "$at"; done
		"$@"' sh)" missing
}

@test "features: disabled, by the order of REUSEPORT_DISABLE" {
	local name
	for name in $(features | cut -d' ' -f1); do
		equal "$(REUSEPORT_DISABLE=$name features | sed -n "s/^$name //p")" disabled
		equal "$(REUSEPORT_DISABLE=$name features | grep -c ' disabled$')" 1
	done
	equal "$(REUSEPORT_DISABLE=events features | sed -n 's/ disabled$//p' | paste -sd,)" \
		ring-buffer,bind-events
}

@test "features: a word that is none" {
	REUSEPORT_DISABLE=plain-read refused 2 "$REUSEPORTCTL" features
	says REUSEPORT_DISABLE "'plain-read'" plain-reads migration
}

@test "features: no option but --json, no word" {
	run "$REUSEPORTCTL" features --port 8080
	equal "$status" 2
	run "$REUSEPORTCTL" features now
	equal "$status" 2
	run "$REUSEPORTCTL" features --help
	equal "$status" 0
}
