#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Whether an attachment has a keeper: a lock on its pins says so, which a process that the
# keeper has just forked holds too, also when the keeper has been killed.
load common.bash

setup() {
	begin_test
	start_worker --port 8080
	attach --port 8080 --admit manual
}

teardown() {
	end_test
}

# killed_with_heir SECONDS [COMM]: the keeper is killed, and what it has forked, in $spawned,
# has its lock for so long.
killed_with_heir() {
	local keeper
	keeper=$(keeper_pid 8080 tcp)
	spawn "$BATS_TEST_TMPDIR/heir" python3 "$RP_ROOT/tests/helpers/hold_lock.py" \
		"$keeper" "$(basename "$PINS")" "$@"
	wait_until 15 grep -q ready "$BATS_TEST_TMPDIR/heir"
	kill -KILL "$keeper"
	wait_until 5 gone "$keeper"
}

@test "kept: a killed keeper's lock in another process, admit" {
	killed_with_heir 0.5
	start_worker --port 8080
	succeeds ctl admit --port 8080
	equal "$output" "admitted 1 worker"
	equal "$(status 8080 tcp '[.workers[].state] | tojson')" '["active","active"]'
}

@test "kept: a killed keeper's lock in another process, status" {
	killed_with_heir 0.5
	equal "$(status 8080 tcp .keeper.running)" false "the keeper runs"
}

@test "kept: a killed keeper's lock in another process, attach" {
	killed_with_heir 0.5
	start_worker --port 8080
	succeeds ctl attach --port 8080
	[[ $output == *"adopted, 2 workers"* ]] || fail "attach says: $output"
}

@test "kept: a killed keeper's lock stays with a helper, and detach ends that" {
	killed_with_heir 60 reuseport-look
	succeeds ctl detach --port 8080
	wait_until 5 gone "$spawned"
	untouched 8080
}

@test "kept: without a keeper, a command that cannot look for workers says so" {
	local id before
	build_foreign
	kill_keeper 8080 tcp
	id=$(foreign "$worker_pid" pass)
	start_worker --port 8080
	before=$(rules_and_workers 8080)
	for command in "admit --port 8080" "drain --port 8080 slot:0" "weight --port 8080 slot:0 2" \
		"rollout --port 8080 begin"; do
		refused 1 ctl $command
		says "cannot look which workers" "another program" "id $id" "nothing was changed"
		equal "$(rules_and_workers 8080)" "$before" "after $command"
	done
	equal "$(program_id_on 8080)" "$id"
}
