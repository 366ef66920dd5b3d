# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the tests of strangers share: workers of a user without rights.
load ../cli/common.bash

STRANGER=65534

# Another user, without capabilities or groups.
POWERLESS=(setpriv --reuid $STRANGER --regid $STRANGER --clear-groups --inh-caps=-all
	--bounding-set=-all --no-new-privs)

# start_stranger ARGS...: as start_worker, as that user.
start_stranger() {
	local out=$BATS_TEST_TMPDIR/stranger.$((stranger_count = ${stranger_count:-0} + 1))

	spawn "$out" "${POWERLESS[@]}" "$HELPERS/worker" "$@"
	worker_pid=$spawned
	echo "$spawned $(start_time "$spawned")" >>"$BATS_TEST_TMPDIR/strangers"
	wait_until 10 worker_ready "$out" || fail "stranger $* is not ready"
}

# Kills them, also those whose main thread has ended, which end_processes takes for gone.
end_strangers() {
	local pid started
	touch "$BATS_TEST_TMPDIR/strangers"
	while read -r pid started; do
		[ "$(start_time "$pid")" != "$started" ] || kill -KILL "$pid" || true
	done <"$BATS_TEST_TMPDIR/strangers" 2>/dev/null
	: >"$BATS_TEST_TMPDIR/strangers"
}

# Cookies of the workers of the attachment of a user, sorted, on one line.
workers_of() {
	look "$2" "$3" | jq -r ".groups[] | select(.uid == $1).workers[].cookie" | sort -n | xargs
}

# Names of the programs on the groups of a user: "null" where there is none.
programs_of() {
	"$REUSEPORTCTL" list --netns "$NS" --port "$2" --proto "$3" --json 3>&- |
		jq -r ".groups[] | select(.uid == $1).program | if . then .name else \"null\" end" |
		sort -u | xargs
}

sorted() {
	printf '%s\n' "$@" | sort -n | xargs
}
