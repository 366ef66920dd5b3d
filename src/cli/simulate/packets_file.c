// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Packets file: reads packets from a text file, one for each line "SRC DST [tcp|udp]".
 * Both are ADDR:PORT, with an IPv6 address in brackets. A # starts a comment.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exit.h"
#include "message.h"
#include "parse.h"
#include "simulate/packets_file.h"

#define BLANKS " \t\r\n"

/* Parse the words of a line. Return NULL, or what is wrong with them. */
static const char *parse_packet_words(char *words[4], struct reuseport_tuple *tuple, int *proto)
{
	int src_family, dst_family;

	if (!words[1] || words[3])
		return "a line must be SRC DST or SRC DST PROTO";
	if (!parse_endpoint(words[0], &src_family, tuple->src, &tuple->src_port, NULL))
		return "the source is not ADDR:PORT (IPv6: [ADDR]:PORT)";
	if (!parse_endpoint(words[1], &dst_family, tuple->dst, &tuple->dst_port, NULL))
		return "the destination is not ADDR:PORT (IPv6: [ADDR]:PORT)";
	if (src_family != dst_family)
		return "source and destination have different address families";
	if (words[2] && strcmp(words[2], "tcp") && strcmp(words[2], "udp"))
		return "the protocol is neither tcp nor udp";
	tuple->family = src_family;
	*proto = !words[2] ? 0 : *words[2] == 'u' ? IPPROTO_UDP : IPPROTO_TCP;
	return NULL;
}

/* Parse a line and add its packet. Return NULL, or what is wrong with the line. */
static const char *parse_packet_line(struct packet_list *list, char *line)
{
	REUSEPORT_OPTS(reuseport_tuple, tuple);
	char *words[4] = { NULL }, *rest = NULL;
	const char *wrong;
	int proto;

	line[strcspn(line, "#")] = '\0';
	for (int i = 0; i < 4; i++) {
		words[i] = strtok_r(i ? NULL : line, BLANKS, &rest);
		if (!words[i])
			break;
	}
	if (!words[0])
		return NULL;
	wrong = parse_packet_words(words, &tuple, &proto);
	if (!wrong && packet_list_add(list, &tuple, proto))
		wrong = "out of memory";
	return wrong;
}

static int read_packet_lines(struct packet_list *list, FILE *file)
{
	const char *wrong = NULL;
	char *line = NULL;
	size_t room = 0, number = 0;
	ssize_t len;
	int ret = EXIT_DONE;

	errno = 0;
	while (!wrong && (len = getline(&line, &room, file)) >= 0) {
		number++;
		wrong = strlen(line) == (size_t)len ?
				parse_packet_line(list, line) :
				"a zero byte: this is not a text file; if it is a capture, use --pcap";
	}
	if (wrong) {
		message("%s, line %zu: %s", list->path, number, wrong);
		ret = EXIT_FAILED;
	} else if (ferror(file)) {
		message("cannot read %s: %s", list->path, strerror(errno));
		ret = EXIT_FAILED;
	}
	free(line);
	return ret;
}

int packets_file_read(struct packet_list *list)
{
	bool standard = !strcmp(list->path, "-");
	FILE *file = standard ? stdin : fopen(list->path, "re");
	int ret;

	if (!file) {
		message("cannot open %s: %s", list->path, strerror(errno));
		return EXIT_FAILED;
	}
	ret = read_packet_lines(list, file);
	if (!standard)
		fclose(file);
	return ret;
}
