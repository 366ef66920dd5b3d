#!/bin/bash
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Shows the toolkit at work, with real workers and connections in a network
# namespace that is removed at the end:
#   demo.sh REUSEPORTCTL
# The test helpers are in "helpers" beside REUSEPORTCTL, the examples in "examples".
set -eu

if [ $# -ne 1 ] || [ ! -x "$1" ]; then
	echo "usage: demo.sh REUSEPORTCTL (run it by 'sudo make demo')" >&2
	exit 2
fi
if [ "$(id -u)" -ne 0 ]; then
	echo "demo.sh: the demo needs root: sudo make demo" >&2
	exit 1
fi
ctl=$(realpath "$1")
helpers=$(dirname "$ctl")/helpers
examples=$(dirname "$ctl")/examples
sources=$(cd "$(dirname "$0")/../examples" && pwd)
netns=demo-$RANDOM
processes=()

if [ -t 1 ]; then
	bold=$'\e[1m' plain=$'\e[0m'
else
	bold='' plain=''
fi

clean_up() {
	trap '' INT TERM
	"$ctl" detach --netns "$netns" --port 8080 >/dev/null 2>&1 || true
	if [ ${#processes[@]} -gt 0 ]; then
		kill "${processes[@]}" 2>/dev/null || true
		wait "${processes[@]}" 2>/dev/null || true
	fi
	ip netns del "$netns" 2>/dev/null || true
	rm -rf "$work"
}

# Before the trap: a namespace of that name that is there already is not ours.
ip netns add "$netns"
work=$(mktemp -d)
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

say() {
	printf '\n%s\n' "$@"
}

show() {
	printf '%s$ %s%s\n' "$bold" "$*" "$plain"
}

ctl() {
	show reuseportctl "$@"
	"$ctl" "$@"
}

# Not "ip netns exec", which hides the BPF file system behind a new /sys.
in_netns() {
	exec nsenter --net="/run/netns/$netns" "$@"
}

start_worker() {
	local ready=$work/worker.${#processes[@]}

	: >"$ready"
	in_netns "$helpers/worker" --port 8080 >"$ready" &
	worker=$!
	processes+=("$worker")
	for _ in {1..250}; do
		! grep -q ^ready "$ready" || return 0
		sleep 0.02
	done
	echo "demo.sh: a worker does not start" >&2
	exit 1
}

# forget PID: it has ended.
forget() {
	local pid left=()

	wait "$1" 2>/dev/null || true
	for pid in "${processes[@]}"; do
		[ "$pid" = "$1" ] || left+=("$pid")
	done
	processes=("${left[@]}")
}

# Ends a process of ours at once.
kill_now() {
	show "kill -9 $1"
	kill -KILL "$1"
	forget "$1"
}

keeper_pid() {
	"$ctl" status --netns "$netns" --port 8080 --json |
		sed -n '/"keeper"/,/}/ s/.*"pid": \([0-9]*\).*/\1/p'
}

start_load() {
	in_netns "$helpers/load" --to 127.0.0.1:8080 --rate 500 --seconds 60 >"$work/load" &
	load=$!
	processes+=("$load")
}

count() {
	sed -n "s/.*\"$1\":\([0-9]*\).*/\1/p" "$work/load"
}

stop_load() {
	sleep 0.3
	kill -INT "$load"
	wait "$load"
	say "The client's result: $(count sent) connections, $(count ok) answered,
$(count refused) refused, $(count reset) reset, $(count timeout) without an answer."
}

# listening N: whether so many sockets listen.
listening() {
	[ "$(in_netns ss -Hltn 'sport = :8080' | wc -l)" -eq "$1" ]
}

# start_server COMMAND...: an instance of the server of 40 lines; sets $server.
start_server() {
	local n

	n=$(in_netns ss -Hltn 'sport = :8080' | wc -l)
	show "${1##*/} ${2:+${2##*/} }&"
	in_netns "$@" &
	server=$!
	processes+=("$server")
	for _ in {1..250}; do
		! listening $((n + 1)) || return 0
		sleep 0.02
	done
	echo "demo.sh: the server does not start" >&2
	exit 1
}

# end_server PID: and wait until it has ended by itself.
end_server() {
	show "kill $1"
	kill "$1"
	forget "$1"
}

nsenter --net="/run/netns/$netns" ip link set lo up

echo "Four workers of a server share TCP port 8080 with SO_REUSEPORT. They are not
modified. The kernel alone spreads connections over them, and there is no way to
see how: the group has no program yet. All this is in a network namespace made
for the demo, $netns.

A client opens 500 connections a second to them, from now to the end."
for i in 1 2 3 4; do
	start_worker
	[ $i -ne 2 ] || second=$worker
done
start_load
ctl list --netns "$netns"

say "Attach: an eBPF program now selects the worker for each new connection. With
the default policy it selects exactly as the kernel did, and it counts."
ctl attach --netns "$netns" --port 8080
sleep 1
ctl status --netns "$netns"

say "A worker dies, and another one starts. The keeper, a process that attach has
started, follows: the new worker is in the free slot as soon as it listens."
kill_now "$second"
start_worker
show "worker --port 8080 &"
sleep 1
ctl status --netns "$netns"

say "Now the keeper dies. Steering goes on, because all of it is in the kernel: the
program, the workers' sockets and the counters, which still grow."
keeper=$(keeper_pid)
show "kill -9 $keeper"
kill -KILL "$keeper"
sleep 1
ctl status --netns "$netns"

say "Attach again: the new keeper adopts every slot and counter."
ctl attach --netns "$netns" --port 8080
sleep 1
ctl status --netns "$netns"

say "The policy can be changed while connections come. This one selects the worker
with the shortest accept queue. Then a worker hangs: it gets new connections only
until its queue is longer than the others'."
ctl policy --netns "$netns" --port 8080 least-queue
show "kill -STOP $worker"
kill -STOP "$worker"
sleep 2
ctl status --netns "$netns"
show "kill -CONT $worker"
kill -CONT "$worker"

say "With the next policy each client keeps its worker while other workers join and
leave. Which worker would get a packet, and why?"
ctl policy --netns "$netns" --port 8080 consistent --key src
ctl explain --netns "$netns" --src 127.0.0.9:40000 --dst 127.0.0.1:8080

say "Detach gives selection back to the kernel and leaves nothing behind."
ctl detach --netns "$netns" --port 8080
ctl list --netns "$netns"
stop_load
forget "$load"
for worker in "${processes[@]}"; do
	kill "$worker"
	forget "$worker"
done

say "Now a server of 40 lines that speaks for itself: examples/restart.c, and the same in
Python. By a socket option it says READY when it can serve and, told to end, DRAIN. It
needs no library and no rights. Two instances serve, and the client goes on."
start_server "$examples/restart"
old=("$server")
start_server "$examples/restart"
old+=("$server")
ctl attach --netns "$netns" --port 8080 --admit manual
start_load
sleep 1

say "Restart: two new instances start, these in Python. An instance gets nothing before it
says READY. Then the old ones are told to end. Each takes nothing new, serves what it
has been given, and ends."
start_server python3 "$sources/restart.py"
start_server python3 "$sources/restart.py"
sleep 1
ctl status --netns "$netns"
end_server "${old[0]}"
end_server "${old[1]}"
sleep 1
ctl status --netns "$netns"
stop_load
ctl detach --netns "$netns" --port 8080
