# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# Puts the parts together into one document and holds them against the bars.
# Input: every part's document, slurped, each with the name of its file.

def bar($what; $limit; $value; $holds):
	{ what: $what, limit: $limit, value: $value, holds: $holds };

def bars:
	(.runtime // empty | .udp.rows[]
	 | select(.program == "steer_hash" or .program == "steer_linux39")
	 | bar("run time, UDP, \(.program) to bare select"; "at most 1.35"; .ratio.median;
	       .ratio.median <= 1.35)),
	(.endtoend[]? | .what as $what | .rows[] | select(.ours)
	 | bar("end to end, \($what), \(.arm) to kernel"; "at least 0.97"; .ratio_cpu.median;
	       .ratio_cpu.median >= 0.97)),
	(.join[]? | select(.members < 1000)
	 | bar("join, \(.proto), \(.members) members, p99 in us, idle machine"; "at most 5000"; .p99_us;
	       .p99_us <= 5000 and .missed == 0));

def part($name): [.[] | select(.file | startswith("part-" + $name)) | .data];

{
	command: $command, date: $date, kernel: $kernel, cpu: $cpu, cpus: $cpus,
	load_before: $load,
	runtime: part("runtime")[0],
	endtoend: part("endtoend") | sort_by(.traffic == "flood", .traffic),
	join: part("join") | sort_by(.members, .proto),
}
| . + { bars: [bars] }
