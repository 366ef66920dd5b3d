#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# bpftool as a window: names and types that a reader understands without us.
load common.bash

setup() {
	begin_test
	start_worker --port 8080 --sockets 3
	attach --port 8080
	PIN=$(pin_of 8080)
	client --to 127.0.0.1:8080 --count 60 >/dev/null
}

teardown() {
	end_test
}

# dump MAP FILTER: with values as BTF formats them.
dump() {
	bpftool -j map dump pinned "$PIN/$1" | jq -c "[.[].formatted] | $2"
}

@test "bpftool: workers, with field names, readable states and names" {
	equal "$(dump workers '[.[] | select(.value.cookie != 0) | .value |
		[.cookie, .pid, .state, .weight, .generation]]')" \
		"$(ctl status --port 8080 --json | jq -c '[.groups[0].workers[] |
		[.cookie, .pid, "WORKER_ACTIVE", .weight, .generation]]')"
	equal "$(dump workers '[.[] | select(.value.cookie == 0) | .value.state] | unique')" \
		'["WORKER_FREE"]'
	equal "$(dump workers length)" "$(status 8080 tcp .slots)" slots
}

@test "bpftool: workers as text" {
	run bpftool map dump pinned "$PIN/workers"
	[[ $output == *'"cookie": '* && $output == *'"pid": '"$worker_pid"* ]] || fail "$output"
	[[ $output == *'"state": "WORKER_ACTIVE"'* ]] || fail "$output"
	[[ $output == *'"comm": "worker"'* ]] || fail "$output"
	[[ $output == *'"joined_ns": '* && $output == *'"base": {'* ]] || fail "$output"
}

@test "bpftool: counters, by slot and CPU" {
	equal "$(dump counters '[.[] | {key: (.key | tostring),
			value: ([.values[].value.selected] | add)} | select(.value > 0)]
			| from_entries')" \
		"$(ctl status --port 8080 --json | jq -c '[.groups[0].workers[] |
			{key: (.slot | tostring), value: .selected} | select(.value > 0)]
			| from_entries')"
	equal "$(dump counters '.[0].values[0].value | keys')" \
		'["empty","migrated","refused","selected"]'
}

@test "bpftool: totals" {
	equal "$(dump totals '[.[0].values[].value.packets] | add')" 60 packets
	equal "$(dump totals '.[0].values[0].value | keys')" \
		'["connected","incoming_cpu","migrations","packets","unreadable","unregistered"]'
}

@test "bpftool: attachment" {
	equal "$(dump attachment '.[0].value | [.port, .proto, .family, .netns_ino, .slots, .keeper_pid]')" \
		"[8080,\"PROTO_TCP\",\"FAMILY_INET\",$NS_INODE,$(status 8080 tcp .slots),$(keeper_pid 8080 tcp)]"
	run bpftool map dump pinned "$PIN/attachment"
	[[ $output == *'"abi_version": '* && $output == *'"policy": "hash"'* ]] || fail "$output"
}

@test "bpftool: the array, by slot, holds the cookies" {
	equal "$(bpftool -j map dump pinned "$PIN/sockets" | jq -c '[.[] |
		select(.value | type == "array")] | length')" 3
	# A look-up gives a cookie only if the value has eight bytes.
	equal "$(bpftool -j map show pinned "$PIN/sockets" | jq -r '"\(.type) \(.bytes_value)"')" \
		"reuseport_sockarray 8"
}

@test "bpftool: the program has a speaking name" {
	equal "$(bpftool -j prog show pinned "$PIN/program" | jq -r '"\(.type) \(.name)"')" \
		"sk_reuseport reuseport_steer"
	equal "$(bpftool -j prog show pinned "$PIN/program" | jq -c '[.id, .tag]')" \
		"$(status 8080 tcp '[.program.id, .program.tag] | tojson')"
	ctl detach --port 8080
	attach --port 8080 --policy linux39
	equal "$(bpftool -j prog show pinned "$PIN/program" | jq -r .name)" reuseport_steer
}

@test "bpftool: the maps have speaking names" {
	local name
	for name in sockets workers counters totals attachment; do
		equal "$(bpftool -j map show pinned "$PIN/$name" | jq -r .name)" $name
	done
	# The others are for user space alone.
	for name in sockets counters totals; do
		bpftool -j prog show pinned "$PIN/program" |
			jq -e --argjson id "$(bpftool -j map show pinned "$PIN/$name" | jq .id)" \
			'.map_ids | index($id) != null' >/dev/null || fail "$name is not the program's"
	done
}

@test "bpftool: a worker that leaves is free again" {
	local before
	start_worker --port 8080
	wait_until 2 in_sync 8080 tcp
	before=$(dump workers '[.[] | select(.value.state == "WORKER_ACTIVE")] | length')
	equal "$before" 4 "active"
	stop "$worker_pid"
	wait_until 2 in_sync 8080 tcp
	equal "$(dump workers '[.[] | select(.value.state == "WORKER_ACTIVE")] | length')" 3
}
