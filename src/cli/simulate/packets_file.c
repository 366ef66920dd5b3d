// SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
/*
 * Packets from a text file: a line "SRC DST [tcp|udp]" each, both ADDR:PORT, with
 * brackets around an IPv6 address; what follows a # is a comment.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "command.h"
#include "simulate/packets.h"

#define BLANKS " \t\r\n"

/* "192.0.2.1:80" or "[2001:db8::1]:80", in place. Sets the family too. */
static bool read_endpoint(char *text, uint8_t addr[16], uint16_t *port, uint16_t *family)
{
	char *colon = strrchr(text, ':');
	unsigned long number;
	size_t len;

	if (!colon || !option_number(colon + 1, 0, 65535, &number))
		return false;
	*colon = '\0';
	*port = number;
	len = strlen(text);
	*family = *text == '[' ? AF_INET6 : AF_INET;
	if (*family == AF_INET6) {
		if (text[len - 1] != ']')
			return false;
		text[len - 1] = '\0';
		text++;
	}
	return inet_pton(*family, text, addr) == 1;
}

static const char *read_words(char *words[4], struct reuseport_tuple *tuple, int *proto)
{
	uint16_t family;

	if (!words[1] || words[3])
		return "a line reads SRC DST, or SRC DST PROTO";
	if (!read_endpoint(words[0], tuple->src, &tuple->src_port, &tuple->family))
		return "the source is no ADDR:PORT; IPv6 reads [ADDR]:PORT";
	if (!read_endpoint(words[1], tuple->dst, &tuple->dst_port, &family))
		return "the destination is no ADDR:PORT; IPv6 reads [ADDR]:PORT";
	if (family != tuple->family)
		return "source and destination are not of one address family";
	if (words[2] && strcmp(words[2], "tcp") && strcmp(words[2], "udp"))
		return "the protocol is neither tcp nor udp";
	*proto = !words[2] ? 0 : *words[2] == 'u' ? IPPROTO_UDP : IPPROTO_TCP;
	return NULL;
}

/* One line. NULL, or what is wrong with it. */
static const char *read_line(struct input *input, char *line)
{
	struct reuseport_tuple tuple = { 0 };
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
	wrong = read_words(words, &tuple, &proto);
	if (!wrong && input_add(input, &tuple, proto))
		wrong = "out of memory";
	return wrong;
}

static int read_lines(struct input *input, FILE *file)
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
				read_line(input, line) :
				"a zero byte: this is no text file; is it a capture, for --pcap?";
	}
	if (wrong) {
		fprintf(stderr, "reuseportctl: %s, line %zu: %s\n", input->path, number, wrong);
		ret = EXIT_FAILED;
	} else if (ferror(file)) {
		fprintf(stderr, "reuseportctl: cannot read %s: %s\n", input->path, strerror(errno));
		ret = EXIT_FAILED;
	}
	free(line);
	return ret;
}

int input_read_file(struct input *input)
{
	bool standard = !strcmp(input->path, "-");
	FILE *file = standard ? stdin : fopen(input->path, "re");
	int ret;

	if (!file) {
		fprintf(stderr, "reuseportctl: cannot open %s: %s\n", input->path, strerror(errno));
		return EXIT_FAILED;
	}
	ret = read_lines(input, file);
	if (!standard)
		fclose(file);
	return ret;
}
