/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which files a program will have mapped when it runs, as its own loader says. */
#ifndef KTRACE_LOADER_H
#define KTRACE_LOADER_H

/*
 * Calls each for the program that a command's first word means, for the interpreters of
 * scripts, and for the libraries that the loader would take with our environment (LD_PRELOAD
 * too). The loader is run, the program is not. What is loaded later (dlopen) is not known.
 * Returns 0, or what each returned that was not 0, or -errno.
 */
int loader_files(const char *command, int (*each)(void *arg, const char *path), void *arg);

#endif
