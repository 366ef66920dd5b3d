/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/*
 * libreuseport-bpf: the version, limits and structures that its other headers share.
 * Included by reuseport_bpf.h, whose conventions hold here.
 */
#ifndef REUSEPORT_TYPES_H
#define REUSEPORT_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The version of this header. reuseport_version() is that of the library in use. */
#define REUSEPORT_VERSION_MAJOR 0
#define REUSEPORT_VERSION_MINOR 1
#define REUSEPORT_VERSION_PATCH 0
#define REUSEPORT_VERSION_AT_LEAST(major, minor) \
	(REUSEPORT_VERSION_MAJOR > (major) ||    \
	 (REUSEPORT_VERSION_MAJOR == (major) && REUSEPORT_VERSION_MINOR >= (minor)))

/* Declare a structure, or make a value of it, with sz set and all else zero but what
 * is named: REUSEPORT_OPTS(reuseport_filter, filter, .port = 53); */
#define REUSEPORT_INIT(type, ...)                      \
	{                                              \
		.sz = sizeof(struct type), __VA_ARGS__ \
	}
#define REUSEPORT_OPTS(type, name, ...) struct type name = REUSEPORT_INIT(type, __VA_ARGS__)

#define REUSEPORT_NAME_MAX 16       /* bytes of a short name, with its end */
#define REUSEPORT_PATH_MAX 192      /* bytes of a pin's path, with its end */
#define REUSEPORT_SLOTS_MAX 32768   /* as many sockets as a kernel group takes */
#define REUSEPORT_TABLE_MIN 1024    /* entries of the lookup table, */
#define REUSEPORT_TABLE_MAX 1048576 /* a power of two */
#define REUSEPORT_FLOWS_MIN 1024    /* sticky flows */
#define REUSEPORT_FLOWS_MAX 4194304
#define REUSEPORT_IDLE_MAX 86400 /* seconds */
#define REUSEPORT_WEIGHT_MAX 1000
#define REUSEPORT_EVENTS_MAX 65536             /* events that wait to be read */
#define REUSEPORT_KEEPER_NAME "reuseport-keep" /* the command's keeper in ps */

struct reuseport_error {
	int code;       /* the positive errno that the call returned negated */
	char text[400]; /* one line, without a newline */
};

/* The name of a group. To copy one, use reuseport_key_copy(): the library's may be longer or
 * shorter than yours. */
struct reuseport_key {
	size_t sz;
	int proto;             /* IPPROTO_TCP or IPPROTO_UDP */
	int family;            /* AF_INET or AF_INET6 */
	uint64_t netns;        /* inode of the network namespace */
	uint64_t netns_cookie; /* SO_NETNS_COOKIE of it, 0: not known */
	uint8_t addr[16];      /* network byte order; IPv4 in the first four bytes */
	uint32_t ifindex;      /* SO_BINDTODEVICE, 0: none */
	uint32_t uid;          /* effective user id of the members, if has_uid */
	uint16_t port;         /* host byte order, 1 to 65535 */
	bool v6only;           /* IPV6_V6ONLY: IPv6 packets only */
	bool has_uid;
	size_t : 0;
};

/* Select groups: every member that is set must match. NULL selects all groups where a
 * call does not require a member. */
struct reuseport_filter {
	size_t sz;
	int proto;             /* IPPROTO_TCP, IPPROTO_UDP, 0: both */
	int family;            /* AF_INET, AF_INET6, 0: both */
	const char *addr;      /* local address as text, "0.0.0.0"; NULL: any */
	uint64_t netns;        /* inode; 0: any, or where a call requires one, the caller's */
	uint64_t netns_cookie; /* 0: any */
	uint32_t ifindex;      /* device that the sockets are bound to, 0: any or none */
	uint32_t uid;          /* effective user id of the members, if has_uid */
	uint16_t port;         /* 0: any */
	bool has_uid;
	int8_t v6only; /* 1: only groups with IPV6_V6ONLY, -1: without, 0: both */
	size_t : 0;
};

/* Why a member of a group has no slot and gets none. */
enum reuseport_left_out {
	REUSEPORT_LEFT_OUT_NO = 0,            /* nothing is known that hinders it */
	REUSEPORT_LEFT_OUT_MPTCP = 1,         /* it listens with MPTCP: no array takes it */
	REUSEPORT_LEFT_OUT_IO_URING = 2,      /* only an io_uring has it, as a registered file */
	REUSEPORT_LEFT_OUT_PID_NAMESPACE = 3, /* its process is in another PID namespace */
	REUSEPORT_LEFT_OUT_NO_PERMISSION = 4, /* its process may not be looked into */
	REUSEPORT_LEFT_OUT_SOCKMAP = 5,       /* it is in a SOCKMAP or SOCKHASH */
};

/* A policy and its options. Every text may be NULL. */
struct reuseport_policy_opts {
	size_t sz;
	const char *policy;   /* name; NULL: the present one, or "hash" */
	const char *over;     /* of "weighted": "hash" (default) or "consistent" */
	const char *key;      /* what is hashed: "tuple" (default), "src", "dst",
			       * "src-prefix/LEN" or "src-prefix/LEN4,LEN6" */
	const char *hash_key; /* of SipHash-1-3, 32 hexadecimal digits; the kernel's hash is
			       * then not used. NULL: the last one, or random */
	const char *cpu_map;  /* of "cpu" and "numa": "CPUS:SLOT,...", as in "0-3:0,4-7:1".
			       * NULL: by SO_INCOMING_CPU of their sockets, else by the affinity
			       * of their processes */
	size_t : 0;
};

/* The policy in use. */
struct reuseport_policy_info {
	char policy[REUSEPORT_NAME_MAX];
	char key[32];               /* what is hashed: "tuple", "src-prefix/24" */
	char hash_key[33];          /* of SipHash; "": the kernel's hash is used */
	bool over_consistent;       /* of "weighted" */
	bool given_cpus;            /* of "cpu" and "numa": by a given map */
	unsigned int table_entries; /* room in the lookup table */
	unsigned int table_width;   /* entries of a row; 0: the policy picks a member of the
				     * kernel's group and needs no table */
	uint32_t plans;             /* changes of policy, weights or table so far */
	bool places_alike;          /* of "cpu" and "numa": each CPU, or node, has the same workers,
				     * two or more, so that it makes no difference */
};

/* The handle of an attachment that this process keeps. */
struct reuseport_group;

#endif
