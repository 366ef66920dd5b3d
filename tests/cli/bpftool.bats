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
	equal "$(dump totals '[.[0].values[].value | del(.turns)[]] | add')" 0 "runs without a worker"
	ctl weight --port 8080 "$worker_pid" 0
	client --to 127.0.0.1:8080 --count 60 --seed 2 >/dev/null
	equal "$(dump totals '[.[0].values[].value.nobody] | add')" 60 "runs with nobody"
	equal "$(dump totals '.[0].values[0].value | keys')" \
		'["connected","exhausted","flows","flows_moved","incoming_cpu","migrations","next_best","nobody","turns","unreadable","unregistered"]'
}

@test "bpftool: attachment" {
	equal "$(dump attachment '.[0].value | [.port, .proto, .family, .netns_ino, .slots,
			.keeper_pid, .table_entries, .cpus]')" \
		"[8080,\"PROTO_TCP\",\"FAMILY_INET\",$NS_INODE,$(status 8080 tcp .slots),$(
		keeper_pid 8080 tcp),$(status 8080 tcp .rules.table_entries),$(
		bpftool -j map show pinned "$PIN/cpu_map" | jq .max_entries)]"
	run bpftool map dump pinned "$PIN/attachment"
	[[ $output == *'"abi_version": '* && $output == *'"attached_ns": '* ]] || fail "$output"
}

# It is a variable of the program's, in a section of its own.
control() {
	dump control ".[0].value[\".data.control\"][0].control | $1"
}

# The plan in use, of the two.
plan() {
	control ".plan[.epoch % 2] | $1"
}

@test "bpftool: control, the plan by names" {
	equal "$(dump control 'length')" 1 elements
	equal "$(control keys)" '["asked","epoch","first_entry","members","plan","told"]'
	equal "$(plan '[.policy, .key, .width, .flags]')" '["POLICY_HASH","KEY_TUPLE","0x0",0]'
	equal "$(control .epoch)" "$(status 8080 tcp .rules.plans)"

	ctl policy --port 8080 consistent --key src-prefix/24,56 \
		--hash-key 000102030405060708090a0b0c0d0e0f
	equal "$(plan '[.policy, .key, .prefix4, .prefix6, .width, .flags]')" \
		'["POLICY_CONSISTENT","KEY_SRC_PREFIX",24,56,"0x4000",1]'
	# jq is not exact beyond 2^53.
	bpftool map dump pinned "$PIN/control" | grep -A1 hash_key | grep -q \
		"$((0x0706050403020100)),$((0x0f0e0d0c0b0a0908))" || fail "hash key"
	run bpftool map dump pinned "$PIN/control"
	[[ $output == *'"policy": "POLICY_CONSISTENT"'* && $output == *'"epoch": '* ]] ||
		fail "$output"
}

@test "bpftool: every policy and key by its name" {
	local policy key name
	for policy in $(ctl policy --list | cut -d' ' -f1); do
		ctl policy --port 8080 "$policy"
		name=${policy^^}
		equal "$(plan .policy)" "\"POLICY_${name//-/_}\""
	done
	for key in tuple src src-prefix/24 dst; do
		ctl policy --port 8080 hash --key $key
		name=${key%/*} name=${name^^}
		equal "$(plan .key)" "\"KEY_${name//-/_}\""
	done
}

# The entries of the half in use, as a list.
entries() {
	dump table "(length / 2) as \$half | .[$(control '.epoch % 2') * \$half:]
		| [.[].value.slot[]] | $1"
}

@test "bpftool: table, the entries and the weights" {
	ctl policy --port 8080 weighted
	ctl weight --port 8080 slot:1 3
	ctl weight --port 8080 slot:2 0
	equal "$(plan .width)" '"0x4"'
	equal "$(entries '.[:4] | sort')" '[0,1,1,1]'
	# After the entries, the generations, and then the weights by slot.
	equal "$(entries '.[16384:16392] | unique')" '[0]'
	equal "$(entries '.[16392:16397]')" '[1,3,0,0,0]'
	equal "$(dump workers '[.[:3][].value.weight]')" '[1,3,0]'
	run bpftool map dump pinned "$PIN/table"
	[[ $output == *'"slot": ['* ]] || fail "${output:0:200}"
	# Nobody is 65535.
	ctl weight --port 8080 slot:0 0
	ctl weight --port 8080 slot:1 0
	equal "$(entries '.[:1]')" '[65535]'
}

@test "bpftool: cpu_map" {
	equal "$(dump cpu_map '[.[].value | .given, .slot] | unique')" '[0]'
	ctl policy --port 8080 cpu --cpu-map 0:2
	equal "$(dump cpu_map '.[0].value')" '{"given":1,"slot":2}'
	equal "$(plan '[.policy, .flags]')" '["POLICY_CPU",4]'
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
	for name in sockets control table cpu_map workers ages counters totals attachment; do
		equal "$(bpftool -j map show pinned "$PIN/$name" | jq -r '.name | ltrimstr(".data.")')" \
			$name
	done
	# The others are for user space alone.
	for name in sockets control table counters totals; do
		bpftool -j prog show pinned "$PIN/program" |
			jq -e --argjson id "$(bpftool -j map show pinned "$PIN/$name" | jq .id)" \
			'.map_ids | index($id) != null' >/dev/null || fail "$name is not the program's"
	done
}

active_are() {
	[ "$(dump workers '[.[] | select(.value.state == "WORKER_ACTIVE")] | length')" -eq "$1" ]
}

@test "bpftool: a worker that leaves is free again" {
	start_worker --port 8080
	wait_until 2 in_sync 8080 tcp
	wait_until 2 active_are 4
	stop "$worker_pid"
	# Without a packet the keeper sees it when it compares everything.
	wait_until 15 active_are 3
}
