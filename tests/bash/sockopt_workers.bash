# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Workers that control themselves by socket options, on top of lib.bash: see tests/helpers/sockopt_worker.c.

# shellcheck disable=SC2154 # variables from lib.bash

READY=1
DRAIN=2
WEIGHT=3
ID=4

# What a worker's state is called in its answer.
JOINING=1
ACTIVE=2
DRAINING=3
LEAVING=4

# A user without rights.
ASKER_USER=(setpriv --reuid 65534 --regid 65534 --clear-groups --inh-caps=-all
	--bounding-set=-all --no-new-privs)

declare -ga asker_pids=() asker_ids=() asker_to=() asker_out=() asker_said=()

# start_asker ARGS...: it gets the next number, from 0 on; $ASKER_WRAP begins its command line.
start_asker() {
	local i=${#asker_pids[@]} to
	local out=$BATS_TEST_TMPDIR/asker.$i
	mkfifo "$out.to"
	exec {to}<>"$out.to"
	spawn "$out" "${ASKER_WRAP[@]:-${ASKER_USER[@]}}" "$HELPERS/sockopt_worker" "$@" <"$out.to"
	asker_pids[i]=$spawned asker_to[i]=$to asker_out[i]=$out asker_said[i]=0
	wait_until 10 worker_ready "$out" || fail "asker $* is not ready"
	asker_ids[i]=$worker_cookies
}

start_askers() {
	local n=$1
	shift
	while ((n--)); do start_asker "$@"; done
}

asker_has_said() {
	[ "$(grep -c '^said ' "${asker_out[$1]}")" -gt "${asker_said[$1]}" ]
}

# say I COMMAND...: sets $said, its answer.
say() {
	local i=$1
	shift
	echo "$*" >&"${asker_to[i]}"
	wait_until 20 asker_has_said "$i" || fail "asker $i does not answer: $*"
	asker_said[i]=$((asker_said[i] + 1))
	said=$(sed -n 's/^said //p' "${asker_out[i]}" | tail -n 1)
}

# says_so I ANSWER COMMAND...
answers() {
	local i=$1 expected=$2
	shift 2
	say "$i" "$@"
	equal "$said" "$expected" "asker $i: $*"
}

# state_of I [FIELD]: of state, slot, generation, weight, id, queue, half_open, flows, seq; the number of one.
state_of() {
	local all
	say "$1" state
	read -ra all <<<"$said"
	state=${all[0]} slot=${all[1]} generation=${all[2]:-} weight=${all[3]:-} id=${all[4]:-}
	flows=${all[7]:-} seq=${all[8]:-}
}

has_state() {
	state_of "$1"
	[ "$state" = "$2" ]
}

# becomes I STATE
becomes() {
	wait_until 10 has_state "$1" "$2" || fail "asker $1 has state $state instead of $2"
}

in_effect() {
	state_of "$1"
	[ "$seq" -ge "$2" ]
}

# takes_effect I SEQ
takes_effect() {
	wait_until 10 in_effect "$1" "$2" || fail "asker $1: $seq requests in effect instead of $2"
}

# served_by I: sets $served.
served_by() {
	say "$1" served
	served=$said
}
