/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What ktrace can do that is no tool: list, doctor, caps, links, --help, --version. */
#ifndef KTRACE_COMMANDS_H
#define KTRACE_COMMANDS_H

#include "core/fail.h"

/* argv[0] is the command's word. Returns the exit status, said. */
enum status command_run(int argc, char **argv);
/* Called without any word. */
enum status command_none(void);

#endif
