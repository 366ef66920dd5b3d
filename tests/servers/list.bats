#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# list beside the truth of ss, with nginx, DNS servers, separate processes, all families, several
# namespaces with one port, and a container.
load ../bash/lib.bash
load ../bash/servers.bash
load nginx.bash
load dns.bash

setup() {
	begin_server_test
}

teardown() {
	[ -z "${container:-}" ] || kill -KILL "$container" 2>/dev/null || true
	end_server_test
}

# told ARGS...: what list says, "PROTO LOCAL SOCKETS QUEUE LIMIT UID PID..." for each group; of
# UDP without the limit, which ss has elsewhere.
told() {
	"$REUSEPORTCTL" list --who --json "$@" 3>&- >"$BATS_TEST_TMPDIR/list"
	jq -r '.groups[] | [.proto,
		(if .family == "inet" then .addr elif .addr == "::" and (.v6only | not) then "*"
			else "[\(.addr)]" end) + ":\(.port)",
		.sockets, .queue, (if .proto == "tcp" then .queue_limit else 0 end), .uid,
		([.processes[].pid] | sort[])] | join(" ")' "$BATS_TEST_TMPDIR/list" | sort
}

# seen CMD...: the same of ss, run by that command in a namespace.
seen() {
	"$@" ss -Hlntupe | awk '{
		key = $1 " " $5
		sockets[key]++
		queue[key] += $3
		limit[key] += $1 == "tcp" ? $4 : 0
		uid[key] = match($0, /uid:[0-9]+/) ? substr($0, RSTART + 4, RLENGTH - 4) : 0
		rest = $0
		while (match(rest, /pid=[0-9]+/)) {
			pids[key] = pids[key] " " substr(rest, RSTART + 4, RLENGTH - 4)
			rest = substr(rest, RSTART + RLENGTH)
		}
	}
	END {
		for (key in sockets) {
			n = split(pids[key], all)
			command = "printf \"%s\\n\" " pids[key] " | sort -nu | xargs"
			command | getline sorted
			close(command)
			print key, sockets[key], queue[key], limit[key], uid[key], sorted
		}
	}' | sort
}

# agrees NETNS CMD...: with ss, run by that command in the namespace. A server may have a socket for
# a moment, to ask another one.
agrees() {
	wait_until 5 same "$@" || equal "$(told --netns "$1")" "$(seen "${@:2}")" "list, beside ss"
}

same() {
	[ "$(told --netns "$1")" = "$(seen "${@:2}")" ]
}

# in_container CMD...: in the namespaces of the container but for its processes.
in_container() {
	nsenter --net="/proc/$container/ns/net" "$@"
}

# A container: namespaces of its own for network, processes and mounts, none with a name.
start_container() {
	local out=$BATS_TEST_TMPDIR/container
	unshare --net --pid --mount --fork --kill-child --mount-proc sh -ec '
		ip link set lo up
		"$0" --port 8080 --sockets 2 &
		exec "$0" --port 5300 --proto udp --fork 2' "$HELPERS/worker" >"$out" 2>&1 3>&- &
	record $!
	wait_until 10 ready_twice "$out" || fail "$(cat "$out")"
	container=$(pgrep -P $!)
	container_inode=$(stat -L -c %i "/proc/$container/ns/net")
}

ready_twice() {
	[ "$(grep -c ^ready "$1")" -eq 2 ]
}

@test "list: what ss sees, in namespaces with the same ports, and in a container" {
	local first=$NS first_inode=$NS_INODE second second_inode
	mkdir "$BATS_TEST_TMPDIR/unbound" "$BATS_TEST_TMPDIR/nsd"
	start_nginx 4
	launch_unbound "$BATS_TEST_TMPDIR/unbound"
	wait_until 10 unbound_ready "$BATS_TEST_TMPDIR/unbound"
	start_workers 3 --port 8081 --addr ::
	start_workers 2 --port 8082 --addr :: --v6only
	start_workers 2 --port 8082
	start_worker --port 8083 --proto udp --addr ::1 --fork 2
	attach --port 8080
	attach --port 5300 --proto udp
	new_netns
	NS=$new_ns NS_INODE=$new_ns_inode
	second=$NS second_inode=$NS_INODE
	launch_nsd "$BATS_TEST_TMPDIR/nsd"
	wait_until 10 nsd_ready "$BATS_TEST_TMPDIR/nsd"
	start_workers 3 --port 8080
	NS=$first NS_INODE=$first_inode
	start_container

	agrees "$first" in_netns "$first"
	equal "$(jq -c '.groups | map([.proto, .addr, .port, .sockets, .state])' "$BATS_TEST_TMPDIR/list")" \
		'[["tcp","0.0.0.0",5300,4,"plain"],["udp","0.0.0.0",5300,4,"steered"],["tcp","0.0.0.0",8080,4,"steered"],["tcp","::",8081,3,"plain"],["tcp","0.0.0.0",8082,2,"plain"],["tcp","::",8082,2,"plain"],["udp","::1",8083,2,"plain"]]'
	agrees "$second" in_netns "$second"
	agrees "$container" in_container
	equal "$(jq -c '.groups | map([.proto, .port, .sockets, .netns_name])' "$BATS_TEST_TMPDIR/list")" \
		'[["udp",5300,2,""],["tcp",8080,2,""]]'

	# One port in all of them; nginx's master and workers have all sockets open.
	told --port 8080 --proto tcp >"$BATS_TEST_TMPDIR/told"
	equal "$(jq -c --argjson first "$first_inode" --argjson second "$second_inode" \
		--argjson third "$container_inode" '[.groups[] | select(.netns == $first or
			.netns == $second or .netns == $third) | [.netns == $first, .netns == $second,
			.sockets, (.processes | length), .processes[0].comm]] | sort' "$BATS_TEST_TMPDIR/list")" \
		'[[false,false,2,1,"worker"],[false,true,3,3,"worker"],[true,false,4,5,"nginx"]]'
	equal "$(jq -c --argjson first "$first_inode" '.groups[] | select(.netns == $first) |
		[.processes[] | [.serves, .has]]' "$BATS_TEST_TMPDIR/list")" \
		'[[1,4],[1,4],[1,4],[1,4],[0,4]]'
	"$REUSEPORTCTL" list --port 8080 --netns "$first" 3>&- | grep -Eq \
		"^tcp +0.0.0.0:8080 +$first +0 +4 nginx $(nginx_workers | head -n 1) \+4 +0 +[0-9]+ steered +[0-9]+ reuseport_steer\$" ||
		fail "$("$REUSEPORTCTL" list --port 8080 --netns "$first" 3>&-)"
}

# From within a container, whose processes are all that it sees, on a port that it shares.
@test "list: sockets of a process in another PID namespace" {
	start_workers 2 --port 8080
	succeeds_inside list --netns "$NS" --port 8080 --json
	equal "$(jq -c '.groups[] | [.sockets, .state, .processes, .unowned, .unowned_reason]' \
		<<<"$output")" '[2,"plain",[],2,"pid-namespace"]'
	succeeds_inside list --netns "$NS" --port 8080
	[[ $output == *" 2 ? (pid-namespace) "* ]] || fail "$output"
}

succeeds_inside() {
	run --separate-stderr in_ns unshare --pid --mount --fork --kill-child --mount-proc \
		"$REUSEPORTCTL" "$@" 3>&-
	equal "$status" 0 "$stderr"
}
