// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * verify: what the running kernel's verifier says of each BPF program, in each
 * variant that the library may load. The library's own calls load them; what is
 * wrapped here (-Wl,--wrap) is libbpf's load, which asks for the verifier's
 * statistics and tells. Nothing is left behind.
 *   verify           one line of JSON for each program and variant
 *   verify --table   the same for readers
 * Exit status 1: something has no variant that is accepted.
 */
#include "common.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "decide/chain.h"
#include "host/features.h"
#include "host/topology.h"
#include "policy/limits.h"
#include "sockets/group_iter.h"
#include "sockets/queue_depth.h"
#include "state/slot_sockets.h"
#include "state/event_ring.h"
#include "state/flow_table.h"
#include "state/pin_dir.h"
#include "state/pins_root.h"
#include "state/steering_load.h"
#include "sockopt.skel.h"
#include "steer.skel.h"

#define LOG_STATISTICS 4 /* BPF_LOG_STATS of the kernel's bpf_verifier.h */
#define LOG_SIZE (64 * 1024)
#define PROGRAMS_MAX 8
#define LAST_LINES 600 /* bytes of a refusal that are told */
#define FLOWS 65536

/* What the verifier counted for one program; -1: not known. */
struct counts {
	long insns, total_states, peak_states, xlated, jited;
	long fetches; /* atomic instructions with a result, for which Linux 5.12 is needed */
};

/* One load of one object. */
struct load {
	char object[16];
	char variant[64];
	struct bpf_program *programs[PROGRAMS_MAX];
	char *logs[PROGRAMS_MAX];
	size_t n;
	char messages[LOG_SIZE]; /* libbpf's */
	size_t len;
};

static bool table;
static const char *asked = ""; /* of objects that are not "steer" */
static struct load load;
static bool accepted;  /* the last load */
static int to_be_lost; /* so many loads of "sockopt" fail, for the library to try the next way */

/* ------------------------------------------------------------------ telling */

static void tell_table(const char *program, const char *result, const struct counts *counts)
{
	static bool begun;

	if (!begun)
		printf("%-7s %-15s %-24s %-8s %8s %7s %6s %7s %6s\n", "OBJECT", "PROGRAM",
		       "VARIANT", "RESULT", "INSNS", "STATES", "PEAK", "XLATED", "JITED");
	begun = true;
	printf("%-7s %-15s %-24s %-8s", load.object, program, load.variant, result);
	if (counts->insns >= 0)
		printf(" %8ld %7ld %6ld %7ld %6ld", counts->insns, counts->total_states,
		       counts->peak_states, counts->xlated, counts->jited);
	printf("\n");
}

static void set_count(json_t *line, const char *name, long count)
{
	if (count >= 0)
		json_object_set_new(line, name, json_integer(count));
}

static void tell_json(const char *program, const char *result, const struct counts *counts,
		      int error, const char *text)
{
	struct utsname kernel;
	json_t *line;

	uname(&kernel);
	line = json_pack("{ss ss ss ss}", "object", load.object, "program", program, "variant",
			 load.variant, "result", result);
	set_count(line, "insns", counts->insns);
	set_count(line, "total_states", counts->total_states);
	set_count(line, "peak_states", counts->peak_states);
	set_count(line, "xlated", counts->xlated);
	set_count(line, "jited", counts->jited);
	set_count(line, "fetches", counts->fetches);
	if (error) {
		json_object_set_new(line, "errno", json_integer(error));
		json_object_set_new(line, "error", json_string(strerror(error)));
		json_object_set_new(line, "log", json_string(text));
	}
	json_object_set_new(line, "kernel", json_string(kernel.release));
	json_object_set_new(line, "machine", json_string(kernel.machine));
	json_object_set_new(line, "compiler", json_string(BPF_COMPILER));
	json_object_set_new(line, "libbpf", json_string(libbpf_version_string()));
	json_dumpf(line, stdout, JSON_COMPACT);
	printf("\n");
	json_decref(line);
}

static void tell(const char *program, const char *result, const struct counts *counts, int error,
		 const char *text)
{
	size_t len = strlen(text);

	if (len > LAST_LINES)
		text += len - LAST_LINES;
	if (!table)
		tell_json(program, result, counts, error, text);
	else
		tell_table(program, result, counts);
	if (table && error)
		printf("    %s: %s\n", strerror(error), text);
	fflush(stdout);
}

/* ------------------------------------------------------- what the kernel said */

static long count_fetches(const struct bpf_program *program)
{
	const struct bpf_insn *insns = bpf_program__insns(program);
	long n = 0;

	for (size_t i = 0; i < bpf_program__insn_cnt(program); i++)
		n += BPF_CLASS(insns[i].code) == BPF_STX && BPF_MODE(insns[i].code) == BPF_ATOMIC &&
		     insns[i].imm & BPF_FETCH;
	return n;
}

static struct counts counts_of(const char *log, struct bpf_program *program)
{
	struct counts counts = { -1, -1, -1, -1, -1, count_fetches(program) };
	const char *line = strstr(log, "processed ");
	struct bpf_prog_info info = { 0 };
	__u32 len = sizeof(info);

	if (line && sscanf(line,
			   "processed %ld insns (limit %*d) max_states_per_insn %*d "
			   "total_states %ld peak_states %ld",
			   &counts.insns, &counts.total_states, &counts.peak_states) < 1)
		counts.insns = -1;
	if (bpf_program__fd(program) >= 0 &&
	    !bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &len)) {
		counts.xlated = info.xlated_prog_len;
		counts.jited = info.jited_prog_len;
	}
	return counts;
}

/* The one that a failed load ended at, as libbpf names it; n: it began with none. */
static size_t refused_one(void)
{
	char words[128];
	size_t i;

	for (i = 0; i < load.n; i++) {
		snprintf(words, sizeof(words), "prog '%s': failed to load",
			 bpf_program__name(load.programs[i]));
		if (strstr(load.messages, words))
			break;
	}
	return i;
}

static void tell_all(int ret)
{
	size_t refused = ret ? refused_one() : load.n;

	for (size_t i = 0; i < load.n; i++) {
		const char *name = bpf_program__name(load.programs[i]);
		struct counts counts = counts_of(load.logs[i], load.programs[i]);

		if (!ret || (refused < load.n && i < refused))
			tell(name, "accepted", &counts, 0, "");
		else if (refused < load.n && i > refused)
			tell(name, "not tried", &counts, 0, "");
		else
			tell(name, "refused", &counts, -ret,
			     *load.logs[i] ? load.logs[i] : load.messages);
	}
}

/* --------------------------------------------------------- libbpf's load, wrapped */

static int hear(enum libbpf_print_level level, const char *format, va_list args)
{
	int len = 0;

	if (level != LIBBPF_DEBUG && load.len < sizeof(load.messages))
		len = vsnprintf(load.messages + load.len, sizeof(load.messages) - load.len, format,
				args);
	load.len += len > 0 ? len : 0;
	return 0;
}

/* What the library has chosen, as the program sees it. */
static void describe_steer(struct bpf_object *object)
{
	size_t size;
	const struct steer_bpf__rodata *rodata =
		bpf_map__initial_value(bpf_object__find_map_by_name(object, ".rodata"), &size);

	snprintf(load.variant, sizeof(load.variant), "%s %s %s%s", rodata->udp ? "udp" : "tcp",
		 rodata->migrate ? "migrate" : "select", rodata->plain_reads ? "plain" : "probe",
		 rodata->flow_buckets ? " sticky" : "");
}

static void describe_sockopt(struct bpf_object *object)
{
	size_t size;
	const struct sockopt_bpf__rodata *rodata =
		bpf_map__initial_value(bpf_object__find_map_by_name(object, ".rodata"), &size);

	snprintf(load.variant, sizeof(load.variant), "%s %s",
		 rodata->own_errnos ? "errnos" : "EPERM",
		 rodata->with_words ? "words" : "no-words");
}

/* The library falls back from variant to variant: each is told once. */
static bool is_news(void)
{
	static char told[64][64];
	static size_t n;
	char key[64];

	snprintf(key, sizeof(key), "%.15s %.40s", load.object, load.variant);
	for (size_t i = 0; i < n; i++)
		if (!strcmp(told[i], key))
			return false;
	if (n < sizeof(told) / sizeof(told[0]))
		strcpy(told[n++], key);
	return true;
}

static void begin(const struct bpf_object_skeleton *skeleton)
{
	struct bpf_program *program;

	load = (struct load){ 0 };
	snprintf(load.object, sizeof(load.object), "%.*s", (int)strcspn(skeleton->name, "_"),
		 skeleton->name);
	if (!strcmp(load.object, "steer"))
		describe_steer(*skeleton->obj);
	else if (!strcmp(load.object, "sockopt"))
		describe_sockopt(*skeleton->obj);
	else
		snprintf(load.variant, sizeof(load.variant), "%s", asked);
	bpf_object__for_each_program(program, *skeleton->obj)
	{
		if (!bpf_program__autoload(program))
			continue;
		if (load.n == PROGRAMS_MAX)
			die("%s has too many programs", skeleton->name);
		load.logs[load.n] = calloc(1, LOG_SIZE);
		if (!load.logs[load.n])
			die("out of memory");
		bpf_program__set_log_buf(program, load.logs[load.n], LOG_SIZE);
		bpf_program__set_log_level(program, LOG_STATISTICS);
		load.programs[load.n++] = program;
	}
}

int __real_bpf_object__load_skeleton(struct bpf_object_skeleton *skeleton);
int __wrap_bpf_object__load_skeleton(struct bpf_object_skeleton *skeleton);

int __wrap_bpf_object__load_skeleton(struct bpf_object_skeleton *skeleton)
{
	libbpf_print_fn_t before;
	int ret, code;

	if (to_be_lost && !strncmp(skeleton->name, "sockopt", strlen("sockopt"))) {
		to_be_lost--;
		errno = EINVAL;
		return -EINVAL;
	}
	before = libbpf_set_print(hear);
	begin(skeleton);
	ret = __real_bpf_object__load_skeleton(skeleton);
	code = errno;
	accepted = !ret;
	libbpf_set_print(before);
	if (is_news())
		tell_all(ret);
	for (size_t i = 0; i < load.n; i++) {
		bpf_program__set_log_buf(load.programs[i], NULL, 0);
		free(load.logs[i]);
	}
	errno = code;
	return ret;
}

/* ------------------------------------------------------- what the library loads */

static struct features *all_but(bool migrate, bool plain)
{
	struct reuseport_error err;
	struct features *features;

	if (features_new(&features, &err))
		die("%s", err.text);
	if (!migrate)
		features_disable(features, FEATURE_MIGRATION);
	if (!plain)
		features_disable(features, FEATURE_PLAIN_READS);
	return features;
}

/* The best way that is left comes first: so each comes. With so many slots each loop of
 * the program is as long as with any. */
static bool steer(int proto, unsigned int flows)
{
	const struct steering_size size = {
		.slots = CHAIN_ANY_MAX,
		.table_entries = TABLE_LEAST_DEFAULT,
		.cpus = topology_cpus(),
		.flows = flows,
		.idle_ticks = flows ? 60 * flow_table_hz() : 0,
		.flow_key = { 0x0706050403020100, 0x0f0e0d0c0b0a0908 },
	};
	bool good = true;

	for (int way = 0; way < 4; way++) {
		struct features *features = all_but(!(way & 2), !(way & 1));
		struct steering steering = STEERING_NONE;
		struct reuseport_error err;

		if (steering_load(&steering, &size, proto, features, &err))
			good = false;
		else
			steering_close(&steering);
		features_free(features);
	}
	return good;
}

/* A directory for the hooks, beside which there is no attachment; bpffs is mounted if it is
 * not. */
static int open_empty_root(char path[64])
{
	struct reuseport_error err = { 0 };
	int root = pins_open_root(true, path, 64, &err);

	if (root < 0)
		die("%s", err.text);
	close(root);
	rmdir(path);
	snprintf(path, 64, BPFFS "/verify%d", getpid());
	root = mkdir(path, 0700) ? -1 : open(path, O_RDONLY | O_DIRECTORY);
	if (root < 0)
		die("%s", path);
	return root;
}

/* Where there is no cgroup2 what is loaded cannot be attached: no matter here. The programs of the
 * socket options, which come last, are loaded in the way that comes after "lost" better ones. */
static bool hooks(int lost)
{
	struct features *features = all_but(true, true);
	char path[64];
	int root = open_empty_root(path);
	struct event_ring *ring = NULL;
	struct reuseport_error err;

	asked = "";
	accepted = false;
	to_be_lost = lost;
	event_ring_open(root, NULL, NULL, features, &ring, &err);
	event_ring_close(ring, true);
	features_free(features);
	close(root);
	rmdir(path);
	return accepted;
}

static bool groups(void)
{
	struct reuseport_error err;
	struct group_iter *reader = NULL;

	asked = "";
	if (group_iter_open(&reader, &err))
		return false;
	group_iter_close(reader);
	return true;
}

static bool queues(void)
{
	const struct steering_size size = { .slots = SLOTS_DEFAULT,
					    .table_entries = TABLE_LEAST_DEFAULT,
					    .cpus = topology_cpus() };
	struct features *features = all_but(true, true);
	struct steering steering = STEERING_NONE;
	struct queue_depth_bpf *queues = NULL;
	struct reuseport_error err;
	int ret;

	asked = "tcp probe";
	ret = steering_load(&steering, &size, IPPROTO_TCP, features, &err);
	if (!ret)
		ret = queue_depth_open(&queues, steering.maps[MAP_SOCKETS], &err);
	if (!ret)
		queue_depth_close(queues);
	steering_close(&steering);
	features_free(features);
	return !ret;
}

static bool slots(void)
{
	struct slot_socket one;
	int ret;

	asked = "";
	slot_sockets_hold();
	/* No map: what matters is whether it is loaded. */
	ret = slot_sockets_read(0, &one, 1);
	slot_sockets_drop();
	return !ret;
}

int main(int argc, char **argv)
{
	bool good = true;

	table = argc == 2 && !strcmp(argv[1], "--table");
	if (argc > 1 && !table)
		die("verify [--table]");
	libbpf_set_print(NULL);
	good &= steer(IPPROTO_TCP, 0);
	good &= steer(IPPROTO_UDP, 0);
	good &= steer(IPPROTO_UDP, FLOWS); /* attach refuses sticky flows for TCP */
	for (int lost = 0; lost < 3; lost++)
		good &= hooks(lost);
	good &= groups();
	good &= queues();
	good &= slots();
	return !good;
}
