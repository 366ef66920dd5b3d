#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Pins that are damaged, gone or of another version: attach refuses or starts
# anew, status tells, detach always removes them.
load common.bash

setup() {
	begin_test
	start_worker --port 8080 --sockets 3
}

teardown() {
	end_test
}

damaged() {
	equal "$(status 8080 tcp '"\(.damaged) \(.workers | length)"')" "true 0" "damaged, workers"
	succeeds ctl status --port 8080
	[[ $output == *damaged*detach* ]] || fail "status says: $output"
}

# Gives selection back and leaves nothing, whatever is left of the pins.
detaches() {
	succeeds ctl detach --port 8080
	untouched 8080
	refused 3 ctl detach --port 8080
}

# Writes another version into the attachment: the first word of the value.
set_version() {
	local pin=$1 version=$2 bytes
	bytes=$(bpftool -j map dump pinned "$pin/attachment" | jq -r '.[0].value[4:] | join(" ")')
	bpftool map update pinned "$pin/attachment" key 0 0 0 0 \
		value "$version" 0 0 0 $bytes
}

# Neither the number of slots nor whose the sockets are can be known then. To look through
# four billion slots would take hours.
@test "damaged: a number of slots that no attachment has" {
	local pin bytes
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	bytes=($(bpftool -j map dump pinned "$pin/attachment" | jq -r '.[0].value | join(" ")'))
	bytes[4]=0 bytes[5]=255 bytes[6]=255 bytes[7]=255
	bytes[108]=0 bytes[109]=0 bytes[110]=0 bytes[111]=0
	bpftool map update pinned "$pin/attachment" key 0 0 0 0 value "${bytes[@]}"
	damaged
	refused 1 timeout 60 "$REUSEPORTCTL" drain --netns "$NS" --port 8080 slot:0
	says damaged
	detaches
}

@test "damaged: any one pin is missing" {
	local name pin
	for name in sockets workers counters totals attachment; do
		attach --port 8080
		pin=$(pin_of 8080)
		kill_keeper 8080 tcp
		rm "$pin/$name"
		serves 8080
		damaged
		refused 1 ctl attach --port 8080
		says damaged "$pin" "detach, then attach"
		equal "$(program_on 8080)" reuseport_steer
		detaches
	done
}

@test "damaged: any one pin is missing, and a keeper runs" {
	local name pin names
	rounds names "sockets workers counters totals attachment program" "workers program"
	for name in $names; do
		attach --port 8080
		pin=$(pin_of 8080)
		rm "$pin/$name"
		serves 8080
		damaged
		refused 1 ctl attach --port 8080
		says "steered already"
		detaches
	done
}

# Pinned last: without it an attach was killed half-way. Then a new one is made.
@test "damaged: the program's pin is missing" {
	local pin
	attach --port 8080
	serves 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm "$pin/program"
	damaged
	serves 8080
	succeeds ctl attach --port 8080
	in_sync 8080 tcp
	equal "$(status 8080 tcp .damaged)" false
	equal "$(status 8080 tcp .program.attached)" true
	serves 8080
	equal "$(status 8080 tcp .counters.selected)" 20 "selected since"
	detaches
}

@test "damaged: the program's pin is missing, then detach" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm "$pin/program"
	detaches
}

@test "damaged: all pins but one are missing" {
	local name pin names
	rounds names "sockets workers counters totals attachment program" "sockets program"
	for name in $names; do
		attach --port 8080
		pin=$(pin_of 8080)
		kill_keeper 8080 tcp
		find "$pin" -type f ! -name "$name" -delete
		damaged
		serves 8080
		if [ $name = program ]; then
			refused 1 ctl attach --port 8080
			says damaged
		else
			succeeds ctl attach --port 8080
			in_sync 8080 tcp
			equal "$(status 8080 tcp .program.attached)" true
		fi
		detaches
	done
}

# Whose program it is that the group has cannot be told any longer.
needs_force() {
	refused 1 ctl detach --port 8080
	says reuseport_steer "not pinned here" "force the detach" "(--force)"
	equal "$(program_on 8080)" reuseport_steer
	succeeds ctl detach --port 8080 --force
	untouched 8080
	refused 3 ctl detach --port 8080
	refused 3 ctl detach --port 8080 --force
}

@test "damaged: only the directory is left" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	find "$pin" -type f -delete
	damaged
	needs_force
	mkdir -p "$pin"
	# Not even a program is there.
	succeeds ctl detach --port 8080
	equal "$(pins_of "$NS_INODE")" "" pins
}

@test "damaged: all pins are gone, the program is not" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm -r "$pin"
	equal "$(program_on 8080)" reuseport_steer
	refused 3 ctl status --port 8080
	serves 8080
	needs_force
}

@test "damaged: all pins are gone, and a keeper runs" {
	local keeper pin
	attach --port 8080
	keeper=$(keeper_pid 8080 tcp)
	pin=$(pin_of 8080)
	rm -r "$pin"
	# It takes the program off: nobody could any longer.
	wait_until 2 gone "$keeper"
	untouched 8080
	refused 3 ctl detach --port 8080
	succeeds ctl attach --port 8080
	in_sync 8080 tcp
	detaches
}

@test "damaged: something else among the pins" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	mkdir "$pin/extra"
	bpftool map pin pinned "$pin/workers" "$pin/more"
	equal "$(status 8080 tcp .damaged)" false
	kill_keeper 8080 tcp
	succeeds ctl attach --port 8080
	in_sync 8080 tcp
	detaches
}

@test "damaged: a stale request to let go does not stop the next keeper" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	# As a detach leaves it that was killed.
	mkdir "$pin/detaching"
	succeeds ctl attach --port 8080
	sleep 0.3
	equal "$(status 8080 tcp .keeper.running)" true
	in_sync 8080 tcp
	detaches
}

@test "damaged: a stranger's directories beside ours" {
	local stranger=$PINS/rp-test-$NS
	attach --port 8080
	mkdir "$stranger"
	run --separate-stderr ctl status --json
	rmdir "$stranger"
	equal "$status" 0 "$stderr"
	equal "$(jq '.groups | length' <<<"$output")" 1 groups
	detaches
}

# ------------------------------------------------------------------ versions

@test "version: pins of another one" {
	local pin version versions
	rounds versions "1 2 99" "2 99"
	for version in $versions; do
		attach --port 8080
		pin=$(pin_of 8080)
		kill_keeper 8080 tcp
		set_version "$pin" $version
		refused 1 ctl attach --port 8080
		says "ABI version $version" "$pin" "detach, then attach"
		refused 1 ctl attach --port 8080 --force --policy linux39
		says "ABI version $version"
		damaged
		[[ $output == *version* ]] || fail "status says: $output"
		# What steers goes on.
		equal "$(program_on 8080)" reuseport_steer
		serves 8080
		detaches
	done
}

@test "version: none is damage" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	set_version "$pin" 0
	refused 1 ctl attach --port 8080
	says "$pin" damaged "detach, then attach"
	damaged
	equal "$(program_on 8080)" reuseport_steer
	serves 8080
	detaches
}

@test "version: of another size" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm "$pin/attachment"
	bpftool map create "$pin/attachment" type array key 4 value 128 entries 1 name attachment
	bpftool map update pinned "$pin/attachment" key 0 0 0 0 \
		value 7 $(printf '0 %.0s' {1..127})
	refused 1 ctl attach --port 8080
	says "ABI version 7"
	damaged
	detaches
}

@test "version: a map of another kind in its place" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm "$pin/workers"
	bpftool map create "$pin/workers" type array key 4 value 8 entries 1 name workers
	refused 1 ctl attach --port 8080
	says damaged detach
	damaged
	detaches
}

@test "version: a map in the program's place" {
	local pin
	attach --port 8080
	pin=$(pin_of 8080)
	kill_keeper 8080 tcp
	rm "$pin/program"
	bpftool map pin pinned "$pin/workers" "$pin/program"
	refused 1 ctl attach --port 8080
	says damaged detach
	damaged
	detaches
}
