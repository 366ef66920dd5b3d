/* SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause */
/* Command line: parsing, which options must be given together, and --help. */
#ifndef CLI_COMMAND_LINE_H
#define CLI_COMMAND_LINE_H

#include "command.h"

/* Parse the arguments. Return false, with a message, for wrong usage. Set *help when
 * the user asks for help only. */
bool command_line_parse(struct options *options, const struct command *command, int argc,
			char **argv, bool *help);

/* Print the command's usage, summary and options, in at most 80 columns. */
void command_line_help(const struct command *command);

#endif
