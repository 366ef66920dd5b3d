#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Pins on a bpffs where other users may make files, as "mount -t bpf" makes it (mode 1777):
# what they put in the way is refused and named, nothing behind it is touched, and other
# attachments go on. Each test has such a bpffs in a mount namespace of its own.
load ../cli/common.bash

setup() {
	begin_test
	victim=$BATS_TEST_TMPDIR/victim
	mkdir -m 755 "$victim"
	touch "$victim"/{passwd,shadow,other}
	mkdir "$victim/empty"
	start_worker --port 8080
}

teardown() {
	local port
	if [ -n "${mounts:-}" ]; then
		[ -z "${swapping:-}" ] || stop "$swapping" KILL
		inside sh -c 'cd /sys/fs/bpf && rm -rf stranger*; [ -O reuseport ] || rm -rf reuseport'
		for port in 8080 8081; do
			ctl detach --port $port || true
		done
	fi >/dev/null 2>&1
	end_test
}

# private_bpffs [OPTIONS]: what "inside" runs in sees a new one, not the host's.
private_bpffs() {
	spawn "$BATS_TEST_TMPDIR/mounted" unshare -m sh -c "
		mount -t bpf ${1:+-o $1} bpf /sys/fs/bpf && echo ready && exec sleep 300"
	mounts=$spawned
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/mounted"
}

inside() {
	nsenter --mount="/proc/$mounts/ns/mnt" "$@"
}

stranger() {
	inside setpriv --reuid 65534 --regid 65534 --clear-groups "$@" 3>&-
}

# The tool in that mount namespace, otherwise as ctl of lib.bash.
ctl() {
	local command=$1
	shift
	case " $* " in
	*" --netns "*) ;;
	*) set -- --netns "$NS" "$@" ;;
	esac
	inside "$REUSEPORTCTL" "$command" "$@" 3>&-
}

intact() {
	equal "$(ls "$victim" | xargs)" "empty other passwd shadow" "what the link leads to"
	equal "$(ls "$victim/empty")" ""
}

# Every command refuses what is in the way, and names it.
all_refused() {
	local path=$1 command
	shift
	for command in "attach --port 8080" "detach --port 8080" "attach --port 8080 --force"; do
		refused 1 ctl $command
		says "$path" "$@"
		intact
	done
	equal "$(tools_of "$NS")" "" "keepers"
	equal "$(inside "$REUSEPORTCTL" list --netns "$NS" --port 8080 --json |
		jq '.groups[0].program')" null program
	serves 8080
}

works() {
	ctl attach --port 8080 >/dev/null 2>&1
	in_sync 8080 tcp
	ctl detach --port 8080
	equal "$(inside ls -A /sys/fs/bpf | grep reuseport || true)" "" "pins"
}

PINS_THERE=/sys/fs/bpf/reuseport

@test "pins: a link in the place of the common directory" {
	private_bpffs
	stranger ln -s "$victim" $PINS_THERE
	all_refused $PINS_THERE "symbolic link" "chmod 0700 /sys/fs/bpf"
	refused 1 ctl status
	says $PINS_THERE "symbolic link"
	refused 1 ctl drain --port 8080 slot:0
	says $PINS_THERE "symbolic link"
	# To a directory that would be ours.
	inside mkdir -m 700 /sys/fs/bpf/real
	inside ln -sfn real $PINS_THERE
	all_refused $PINS_THERE "symbolic link"
	inside rm $PINS_THERE
	inside rmdir /sys/fs/bpf/real
	works
}

@test "pins: another user's directory in the place of the common one, with links in it" {
	private_bpffs
	stranger sh -c "mkdir $PINS_THERE && ln -s $victim $PINS_THERE/tcp-0_0_0_0-8080-$NS_INODE"
	all_refused $PINS_THERE "user 65534" "chmod 0700 /sys/fs/bpf"
	equal "$(inside readlink $PINS_THERE/tcp-0_0_0_0-8080-$NS_INODE)" "$victim" "the stranger's link"
	# With all rights to it, and with real directories of pins.
	stranger sh -c "rm $PINS_THERE/tcp-* && chmod 777 $PINS_THERE &&
		mkdir $PINS_THERE/tcp-0_0_0_0-8080-$NS_INODE"
	all_refused $PINS_THERE "user 65534"
	equal "$(inside ls $PINS_THERE)" "tcp-0_0_0_0-8080-$NS_INODE"
	inside rm -r $PINS_THERE
	works
}

@test "pins: the common directory is ours, but others may write to it" {
	local mode
	private_bpffs
	for mode in 777 1777 770 703; do
		inside mkdir $PINS_THERE
		inside chmod $mode $PINS_THERE
		[ $mode = 770 ] || stranger ln -s "$victim" "$PINS_THERE/tcp-0_0_0_0-8080-$NS_INODE"
		all_refused $PINS_THERE "mode " "$mode)" "chmod 0700 $PINS_THERE"
		inside rm -rf $PINS_THERE
	done
	# To read it does no harm.
	inside mkdir -m 755 $PINS_THERE
	works
}

# They can get there only if root has let them.
@test "pins: what is in the way of one attachment leaves the others alone" {
	local there=$PINS_THERE/tcp-0_0_0_0-8080-$NS_INODE what
	local -A plant=(
		[link]="ln -s $victim $there"
		[stranger]="mkdir -m 700 $there && ln -s $victim $there/changing &&
			chown 65534:65534 $there"
		[open]="mkdir $there && chmod 777 $there && ln -s $victim $there/sockets"
		[file]="bpftool map create $there type array key 4 value 8 entries 1 name way"
	)
	local -A word=([link]="symbolic link" [stranger]="user 65534" [open]="mode 0777"
		[file]="no directory")
	private_bpffs mode=0755
	start_worker --port 8081
	start_worker --port 8080 --addr 127.0.0.1
	ctl attach --port 8081
	for what in link stranger open file; do
		inside sh -ec "${plant[$what]}"
		refused 1 ctl attach --port 8080
		says "$there" "${word[$what]}"
		ctl attach --port 8080 --addr 127.0.0.1
		equal "$(status 8081 tcp .damaged)" false
		equal "$(ctl status --json | jq -c '[.groups[].damaged] | sort')" \
			"[false,false,true]" damaged
		equal "$(ctl status --json | jq -r '.groups[] | select(.damaged).pin')" "$there"
		succeeds ctl policy --port 8081 round-robin
		succeeds ctl policy --port 8080 round-robin
		# One of two is detached, and the other named.
		refused 1 ctl detach --port 8080
		says "$there" "${word[$what]}" "other groups (1) were detached"
		equal "$(ctl status --json | jq '.groups | length')" 2
		equal "$(status 8081 tcp .keeper.running)" true
		intact
		inside rm -rf "$there"
	done
	ctl detach --port 8081
	works
}

@test "pins: a link among the pins is not followed, and stays" {
	local pin
	private_bpffs
	ctl attach --port 8080
	pin=$(pin_of 8080)
	inside ln -s "$victim/passwd" "$pin/extra"
	equal "$(status 8080 tcp .damaged)" false
	refused 1 ctl detach --port 8080
	says "$pin/extra" "nothing was changed"
	equal "$(status 8080 tcp .keeper.running)" true
	equal "$(program_there)" reuseport_steer
	inside rm "$pin/extra"
	# In the place of a pin, to a map that has its kind.
	inside bpftool map pin pinned "$pin/workers" /sys/fs/bpf/elsewhere
	inside rm "$pin/workers"
	inside ln -s /sys/fs/bpf/elsewhere "$pin/workers"
	equal "$(status 8080 tcp .damaged)" true
	refused 1 ctl detach --port 8080
	says "$pin/workers"
	inside rm "$pin/workers"
	succeeds ctl detach --port 8080
	equal "$(inside ls /sys/fs/bpf | grep -v debug)" elsewhere
	intact
}

program_there() {
	ctl list --port 8080 --json | jq -r '.groups[].program.name'
}

@test "pins: a bpffs that is open to others is said once, and used only if it is sticky" {
	local lines
	private_bpffs
	start_worker --port 8080 --addr 127.0.0.1
	run --separate-stderr ctl attach --port 8080
	equal "$status" 0 "$stderr"
	equal "${#stderr_lines[@]}" 1 "$stderr"
	[[ $stderr == *"chmod 0700 /sys/fs/bpf"* ]] || fail "$stderr"
	ctl detach --port 8080
	inside chmod 755 /sys/fs/bpf
	succeeds ctl attach --port 8080
	# What is there already is used no longer than it is safe.
	inside chmod 777 /sys/fs/bpf
	refused 1 ctl status --port 8080
	says /sys/fs/bpf "mode 0777" "chmod 0700"
	refused 1 ctl detach --port 8080
	says "mode 0777"
	inside chmod 700 /sys/fs/bpf
	inside chown 65534 /sys/fs/bpf
	refused 1 ctl detach --port 8080
	says "user 65534"
	inside chown 0 /sys/fs/bpf
	equal "$(ctl status --json | jq -c '[.groups[].keeper.running]')" "[true,true]" keepers
	succeeds ctl detach --port 8080
}

# The bpffs of process 1 is checked as well.
@test "pins: the same where process 1 has the bpffs" {
	run --separate-stderr in_ns unshare -m --pid --fork --kill-child --mount-proc sh -c '
		umount /sys/fs/bpf && mount -t bpf bpf /sys/fs/bpf
		setpriv --reuid 65534 --regid 65534 --clear-groups ln -s "$2" /sys/fs/bpf/reuseport
		"$3" --port 8090 >/dev/null &
		sleep 0.3
		for command in attach detach; do
			unshare -m sh -c "umount /sys/fs/bpf; exec \"\$@\"" sh "$1" $command --port 8090 &&
				echo "$command works"
		done
		true' sh "$REUSEPORTCTL" "$victim" "$HELPERS/worker" 3>&-
	equal "$status" 0 "$stderr"
	equal "$output" ""
	equal "$(grep -c "/proc/1/root$PINS_THERE is a symbolic link" <<<"$stderr")" 2 "$stderr"
	intact
}

# ---------------------------------------------------------------------- swaps

# A stranger puts directories and links there in turns, as often as it can.
start_swapping() {
	spawn "$BATS_TEST_TMPDIR/swaps" nsenter --mount="/proc/$mounts/ns/mnt" \
		"$HELPERS/swap" /sys/fs/bpf reuseport "$victim" "tcp-0_0_0_0-8080-$NS_INODE"
	swapping=$spawned
	wait_until 5 grep -q ready "$BATS_TEST_TMPDIR/swaps"
}

stop_swapping() {
	stop "$swapping"
	swapped=$(tail -n 1 "$BATS_TEST_TMPDIR/swaps")
}

@test "pins: swapped all the time, while root attaches and detaches" {
	local i n attached=0 message
	rounds n 500 50 15
	private_bpffs
	start_swapping
	for ((i = 0; i < n; i++)); do
		if message=$(ctl attach --port 8080 2>&1); then
			attached=$((attached + 1))
		else
			[[ $message == *"$PINS_THERE"* ]] || fail "$message"
		fi
		if ! message=$(ctl detach --port 8080 2>&1); then
			[[ $message == *"$PINS_THERE"* || $message == *"nothing is attached"* ]] ||
				fail "$message"
		fi
		[ -e "$victim/passwd" ] || break
	done
	stop_swapping
	echo "# attached $attached times of $n, with $swapped swaps" >&3
	[ "$swapped" -gt "$n" ] || fail "$swapped swaps"
	intact
	inside sh -c 'cd /sys/fs/bpf && rm -rf stranger*; [ -O reuseport ] || rm -rf reuseport'
	ctl detach --port 8080 || true
	works
}
