#!/usr/bin/env bats
# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# One address on two devices: every command takes it as list prints it, and none acts on the
# group of the other device.
load common.bash

setup() {
	local i
	begin_test
	for i in 0 1; do
		in_ns ip link add "b$i" type bridge
		in_ns ip link set "b$i" up
		in_ns ip -6 addr add fe80::1/64 dev "b$i" nodad
		start_workers 2 --port 5300 --proto udp --addr "fe80::1%b$i"
	done
	index=$(in_ns cat /sys/class/net/b1/ifindex 2>/dev/null ||
		in_ns ip -j link show b1 | jq '.[0].ifindex')
}

teardown() {
	end_test
}

# the_other_is_as_before: nothing has changed for the group on b0.
states() {
	ctl status --port 5300 --proto udp --dev "$1" --json |
		jq -c '[.groups[].workers[].state] | sort'
}

@test "devices: attach, status, list and detach by device, in each way to write it" {
	local place
	for place in "--addr fe80::1%b1" "--addr fe80::1%$index" "--dev b1" "--dev $index" \
		"--addr fe80::1 --dev b1" "--addr fe80::1%b1 --dev b1"; do
		# shellcheck disable=SC2086 # words
		succeeds ctl attach --port 5300 --proto udp $place
		[[ $output == "udp [fe80::1%$index]:5300: steering 2 workers"* ]] || fail "$output"
		equal "$(ctl status --json | jq '.groups | length')" 1 "steered"
		# shellcheck disable=SC2086 # words
		equal "$(ctl status --port 5300 --proto udp $place --json | jq '.groups | length')" 1
		# shellcheck disable=SC2086 # words
		equal "$(ctl list --port 5300 --proto udp $place --json | jq '.groups | length')" 1
		equal "$(ctl list --port 5300 --proto udp --addr fe80::1 --json | jq '.groups | length')" 2
		# shellcheck disable=SC2086 # words
		succeeds ctl detach --port 5300 --proto udp $place
		equal "$output" "udp port 5300: 1 group detached"
	done
}

@test "devices: a change is for one group, or refused" {
	ctl attach --port 5300 --proto udp
	refused 2 ctl drain --port 5300 --proto udp --addr fe80::1 slot:0
	says "have the same address: name the device" "(--dev DEV)"
	refused 2 ctl weight --port 5300 --proto udp --addr fe80::1 slot:0 5
	refused 2 ctl policy --port 5300 --proto udp --addr fe80::1 random
	equal "$(states b0) $(states b1)" '["active","active"] ["active","active"]'
	ctl drain --port 5300 --proto udp --addr fe80::1%b1 slot:0
	equal "$(states b0) $(states b1)" '["active","active"] ["active","draining"]'
	ctl undrain --port 5300 --proto udp --dev b1 slot:0
	equal "$(states b1)" '["active","active"]'
}

@test "devices: explain takes the address as it is printed" {
	local dst
	ctl attach --port 5300 --proto udp
	for dst in "[fe80::1%b1]:5300" "[fe80::1%$index]:5300"; do
		succeeds ctl explain --proto udp --src "[fe80::1]:4000" --dst "$dst" --json
		equal "$(jq -r '.candidates[] | select(.verdict == "wins") | .ifindex // .device' \
			<<<"$output")" "$index"
	done
	# The routes name any of the devices that have the address.
	refused 1 ctl explain --proto udp --src "[fe80::1]:4000" --dst "[fe80::1]:5300"
	says "does not say on which device" "(--dev DEV)"
	succeeds ctl explain --proto udp --src "[fe80::1]:4000" --dst "[fe80::1]:5300" --dev b1
	refused 2 ctl explain --proto udp --src "[fe80::1%b0]:4000" --dst "[fe80::1%b1]:5300"
	says "different devices"
}

@test "devices: what is no device" {
	refused 1 ctl attach --port 5300 --proto udp --addr fe80::1%b7
	says "no network device is named 'b7'"
	refused 1 ctl attach --port 5300 --proto udp --dev 9999
	refused 2 ctl attach --port 5300 --proto udp --addr fe80::1%
	says "no device"
	refused 2 ctl attach --port 5300 --proto udp --addr fe80::1%b0 --dev b1
	says "two devices"
	refused 3 ctl attach --port 5300 --proto udp --dev lo
	equal "$(pins_of "$NS_INODE")" "" "pins"
}
