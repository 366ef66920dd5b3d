# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What a test may leave behind, found by its namespace alone, so that two
# suites can run at the same time. Part of lib.bash.

# Once a test has deleted its namespace, a later one of another run may have been
# given the inode.
taken_by_another() {
	local name
	for name in /run/netns/*; do
		[ "$(stat -L -c %i "$name" 2>/dev/null)" = "$1" ] || continue
		grep -q "^${name##*/} " "$BATS_TEST_TMPDIR/namespaces" || return 0
	done
	return 1
}

# Pin directories of a namespace, by its inode in their names.
pins_of() {
	! taken_by_another "$1" || return 0
	find "$PINS" -mindepth 1 -maxdepth 1 -type d -regextype posix-extended \
		-regex ".*[^0-9]$1([^0-9/][^/]*)?" 2>/dev/null
}

# Processes of the tool that were started for a namespace.
tools_of() {
	local file pid

	for file in $(grep -lzxF -e "$1" /proc/[0-9]*/cmdline 2>/dev/null); do
		pid=${file#/proc/}
		pid=${pid%/cmdline}
		case $(readlink "/proc/$pid/exe") in
		*reuseportctl*) echo "$pid" ;;
		esac
	done
	return 0
}

netns_cookie() {
	in_netns "$1" "$HELPERS/netns_cookie"
}

# Programs that watch the namespace for a keeper, by the namespace's cookie in
# their read-only data: "id ID name NAME".
watchers_of() {
	local cookie='' id program map maps programs

	# Mostly there is none, and this is asked often.
	programs=$(bpftool -j prog show)
	[[ $programs == *'"name":"event_'* ]] || return 0
	jq <<<"$programs" -r '.[] | select(.name // "" | startswith("event_"))
			| "\(.id) \(.name) \(.map_ids // [] | join(","))"' |
		while read -r id program maps; do
			[ -n "$cookie" ] || cookie=$(netns_cookie "$1")
			for map in ${maps//,/ }; do
				bpftool -j map show id "$map" 2>/dev/null |
					jq -e '.name // "" | endswith(".rodata")' >/dev/null || continue
				if bpftool -j map dump id "$map" 2>/dev/null | jq -c . |
					grep -q "\"want_netns_cookie\":${cookie}[,}]"; then
					echo "id $id name $program"
					break
				fi
			done
		done
}

# The program and the maps of each attachment in the test's namespaces, as
# "prog ID" and "map ID": what must be gone in the end. The kernel does not
# give an id twice.
record_bpf() {
	local inodes

	inodes=$(cut -d' ' -f2 "$BATS_TEST_TMPDIR/namespaces" | paste -sd,)
	# One jq, and one bpftool with the pins of all maps: to start one for each takes
	# seconds on an emulated processor.
	{
		"$REUSEPORTCTL" status --json 3>&-
		bpftool -jf map show
	} | jq -rs ".[1] as \$maps | .[0].groups[] | select(.netns | IN($inodes))
		| .pin as \$pin | \"prog \\(.program.id)\",
		(\$maps[] | select(.pinned // [] | any(startswith(\$pin + \"/\"))) | \"map \\(.id)\")" \
		>>"$BATS_TEST_TMPDIR/bpf"
}

# The recorded ones that are there still.
bpf_that_is_there() {
	comm -12 <(sort -u "$BATS_TEST_TMPDIR/bpf") <(for kind in prog map; do
		bpftool -j $kind show | jq -r ".[] | \"$kind \\(.id)\""
	done | sort)
}

bpf_is_gone() {
	[ ! -s "$BATS_TEST_TMPDIR/bpf" ] || [ -z "$(bpf_that_is_there)" ]
}

# The kernel frees programs and maps a little later than their last user goes.
no_bpf_left() {
	wait_until 5 bpf_is_gone 2>/dev/null || {
		bpf_that_is_there | sed 's/^/left behind: /' >&2
		return 1
	}
}

detach_all() {
	local port proto json

	json=$("$REUSEPORTCTL" status --netns "$1" --json 2>/dev/null 3>&-)
	# Mostly there is nothing left to detach.
	[[ $json == *'"port"'* ]] || return 0
	jq <<<"$json" -r '.groups[] | "\(.port) \(.proto)"' | sort -u |
		while read -r port proto; do
			"$REUSEPORTCTL" detach --netns "$1" --port "$port" --proto "$proto" 3>&- ||
				echo "could not detach $proto port $port" >&2
		done
}

no_watchers_of() {
	[ -z "$(watchers_of "$1")" ]
}

no_tools_of() {
	[ -z "$(tools_of "$1")" ]
}

# nothing_left NAME INODE: else says what, removes it and fails.
nothing_left() {
	local left=0 pid pins

	if ! wait_until 3 no_tools_of "$1" 2>/dev/null; then
		for pid in $(tools_of "$1"); do
			echo "left behind: process $pid, $(tr '\0' ' ' <"/proc/$pid/cmdline")" >&2
			kill -KILL "$pid"
		done
		left=1
	fi
	pins=$(pins_of "$2")
	if [ -n "$pins" ]; then
		echo "left behind: $pins" >&2
		rm -rf $pins
		left=1
	fi
	if ! wait_until 5 no_watchers_of "$1" 2>/dev/null; then
		echo "left behind: programs $(watchers_of "$1")" >&2
		left=1
	fi
	return $left
}

netns_is_gone() {
	! ip -j netns list-id | grep -q "\"nsid\":$1[,}]"
}

# The namespace is gone when no process, socket or descriptor holds it.
remove_netns() {
	if [ -e "/run/netns/$1" ]; then
		ip netns del "$1"
	fi
	wait_until 10 netns_is_gone "$2" || {
		echo "left behind: namespace $1 is still held" >&2
		return 1
	}
}

# In the sanitized run: reports go to files, of keepers in the background too. Prints
# those that say something: of a process that is killed while it looks for leaks at its
# end there is but a word of its threads.
sanitizer_reports() {
	[ -z "${RP_REPORTS:-}" ] ||
		grep -lv 'Unable to get registers from thread' "$RP_REPORTS"/* 2>/dev/null || true
}

sanitizers_silent() {
	local report reports
	mapfile -t reports < <(sanitizer_reports)
	for report in "${reports[@]}"; do
		head -n 60 "$report" >&2
		mkdir -p "$RP_REPORTS.seen"
		mv "$report" "$RP_REPORTS.seen"
	done
	[ ${#reports[@]} -eq 0 ]
}
