#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a kernel has and what steering costs on it, left in the folder RP_SEEN for the
# table in docs/kernels.md (table.sh).
load ../bash/lib.bash

setup() {
	begin_test
	seen=${RP_SEEN:-$BATS_FILE_TMPDIR}
}

teardown() {
	end_test
}

@test "seen: features" {
	"$REUSEPORTCTL" features --json >"$seen/features.json" 3>&-
	jq -r '.features[] | select(.state != "available") | "# \(.name): \(.state), \(.error)"' \
		"$seen/features.json" >&3
	jq -e '[.features[] | select(.needed) | .state] | unique == ["available"]' \
		"$seen/features.json" >/dev/null || fail "something needed is not there"
	jq -e '[.features[].state] | all(. == "available" or . == "missing")' \
		"$seen/features.json" >/dev/null || fail "root may not, or it failed"
}

# The versions in the table are when each came to the kernel, so a newer one without it
# means that the probe is wrong. Debian's kernels are built with all of them.
@test "seen: whatever is older than this kernel is available" {
	local since name
	[ -n "${RP_KERNEL:-}" ] || skip "only in a guest: this kernel may be built otherwise"
	jq -r '.features[] | select(.state == "missing") | "\(.since) \(.name)"' \
		"$seen/features.json" >"$BATS_TEST_TMPDIR/missing"
	while read -r since name; do
		if printf '%s\n' "$since" "$(uname -r)" | sort -CV; then
			fail "$name came with Linux $since, and is missing in $(uname -r)"
		fi
	done <"$BATS_TEST_TMPDIR/missing"
}

# Status, not the version, says what an attachment has; and it has what there is.
@test "seen: ways" {
	local proto feature
	"$REUSEPORTCTL" features --json >"$BATS_TEST_TMPDIR/features" 3>&-
	for proto in tcp udp; do
		start_worker --port 8080 --proto $proto
		attach --port 8080 --proto $proto
		equal "$(status 8080 $proto '.ways | [.migration != "none", .reads == "plain",
			.tables == "memory", .joins == "events", .iterators] | tojson')" \
			"$(jq -c --arg events bind-events '[.features[] | {(.name): (.state == "available")}]
				| add | [.migration, .["plain-reads"], .mmap,
				(.["ring-buffer"] and .[$events]), .iterators]' \
				"$BATS_TEST_TMPDIR/features")" "ways, $proto"
	done
}

# A figure for the table, and no bar: where the processor is emulated only the ratio
# to the bare select says anything, and that not much.
@test "seen: cost of hash and least-queue by the ways to read the kernel" {
	"$BENCH/runtime" reads 4 15 2 >"$seen/cost.json" 3>&-
	jq -r '.rows[] | "# \(.program): \(.ns.median) ns, \(.ratio.median) bare selects"' \
		"$seen/cost.json" >&3
	jq -e '[.rows[].program] | index("least-queue") and index("least-queue, probe reads")' \
		"$seen/cost.json" >/dev/null
}
