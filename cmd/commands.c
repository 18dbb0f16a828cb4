// SPDX-License-Identifier: GPL-2.0-or-later
#include "cmd/commands.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/symbols.h"
#include "core/caps.h"
#include "core/help.h"
#include "core/plan.h"

static enum status no_arguments(int argc, char **argv)
{
	return argc > 1 ? fail(USAGE, "'%s' takes no argument, not '%s'", argv[0], argv[1]) : OK;
}

static enum status do_help(int argc, char **argv)
{
	enum status status = no_arguments(argc, argv);

	return status ? status : help_main();
}

static enum status do_version(int argc, char **argv)
{
	enum status status = no_arguments(argc, argv);

	if (status)
		return status;
	printf("ktrace %s\n", KTRACE_VERSION);
	return help_flush();
}

static enum status do_list(int argc, char **argv)
{
	enum status status = no_arguments(argc, argv);
	size_t i;

	if (status)
		return status;
	for (i = 0; tools[i]; i++)
		printf("%-14s %s\n", tools[i]->name, tools[i]->summary);
	return help_flush();
}

static enum status do_caps(int argc, char **argv)
{
	enum status status = no_arguments(argc, argv);
	struct symbols symbols = {};
	struct caps caps = {};

	if (status)
		return status;
	status = caps_probe(&caps, tools, NULL, &symbols);
	symbols_free(&symbols);
	if (!status) {
		caps_write(&caps, stdout);
		status = help_flush();
	}
	caps_free(&caps);
	return status;
}

/* Never over what is there, unless it is a link of ours already. */
static enum status make_link(const char *target, const char *dir, const char *name)
{
	char path[PATH_MAX], there[PATH_MAX];
	ssize_t len;

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >= (int)sizeof(path))
		return fail(USAGE, "the name %s is too long", dir);
	if (!symlink(target, path))
		return OK;
	if (errno != EEXIST)
		return fail(errno == ENOENT || errno == ENOTDIR ? USAGE : FAILED,
			    "cannot make %s: %s", path, strerror(errno));
	len = readlink(path, there, sizeof(there) - 1);
	if (len >= 0) {
		there[len] = '\0';
		if (!strcmp(there, target))
			return OK;
	}
	return fail(FAILED, "cannot make %s: it exists and is no link to %s", path, target);
}

static enum status do_links(int argc, char **argv)
{
	char self[PATH_MAX];
	enum status status = OK;
	struct stat st;
	ssize_t len;
	size_t i;

	if (argc != 2)
		return fail(USAGE, "usage: ktrace links DIR");
	if (stat(argv[1], &st))
		return fail(USAGE, "no directory %s: %s", argv[1], strerror(errno));
	if (!S_ISDIR(st.st_mode))
		return fail(USAGE, "%s is no directory", argv[1]);
	len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len < 0)
		return fail(FAILED, "cannot find our own file: %s", strerror(errno));
	self[len] = '\0';
	for (i = 0; tools[i] && !status; i++)
		status = make_link(self, argv[1], tools[i]->name);
	return status;
}

static void print_rejected(const struct plan *plan, const struct role *role)
{
	unsigned i;

	for (i = role->first; i < role->first + role->n; i++)
		if (plan->candidate[i].rejected)
			printf("    %s %s %s: %s\n", role->name,
			       via_name(plan->candidate[i].hook->via), plan->candidate[i].target,
			       plan->candidate[i].reason);
}

/* What keeps each better mode from being used: one role says it. */
static void print_other_modes(struct plan *plan)
{
	const struct role *role;
	unsigned mode;

	for (mode = 1; mode < plan->mode; mode++) {
		role = plan_obstacle(plan, mode);
		if (!role)
			continue;
		printf("    not in mode '%s':\n", plan->opts->tool->modes[mode - 1].name);
		print_rejected(plan, role);
	}
}

/* One tool's line and, where hooks are missing or lesser, the reasons below it. */
static bool diagnose(const struct tool *tool, const struct caps *caps)
{
	struct opts *opts = calloc(1, sizeof(*opts));
	struct plan *plan = calloc(1, sizeof(*plan));
	char *argv[] = {(char *)tool->name, NULL};
	const char *const *idle;
	const struct role *role;
	bool works = true;

	if (!opts || !plan || (!tool->patterns && opts_parse(tool, 1, argv, opts)))
		goto out;
	opts->tool = tool;
	plan_make(opts, caps, plan);
	works = plan_works(plan);
	printf("%-14s %s", tool->name, works ? "ok" : "NO");
	for (role = plan->role; role < plan->role + plan->n_roles; role++) {
		const struct candidate *chosen = plan_chosen(plan, role);

		if (!plan_uses(plan, role))
			continue;
		printf("%s %s=%s", role == plan->role ? "  " : "", role->name,
		       chosen ? via_name(chosen->hook->via) : "none");
	}
	printf("%s\n", plan->n_roles ? "" : "   no BPF needed");
	if (plan->missing)
		printf("    %s\n", plan->missing);
	for (idle = plan->idle; *idle; idle++)
		printf("    %s\n", *idle);
	for (role = plan->role; role < plan->role + plan->n_roles; role++)
		if (plan_uses(plan, role))
			print_rejected(plan, role);
	print_other_modes(plan);
out:
	free(opts);
	free(plan);
	return works;
}

static enum status read_doctor_caps(struct caps *caps, int *argc, char ***argv)
{
	struct symbols symbols = {};
	enum status status;

	if (*argc > 1 && !strcmp((*argv)[1], "--caps")) {
		if (*argc < 3)
			return fail(USAGE, "--caps needs a file");
		*argc -= 2;
		*argv += 2;
		return caps_read(caps, (*argv)[0]);
	}
	status = caps_probe(caps, tools, NULL, &symbols);
	symbols_free(&symbols);
	return status;
}

static enum status do_doctor(int argc, char **argv)
{
	struct caps caps = {};
	enum status status;
	bool all = true;
	int i;

	for (i = 1; i < argc; i++)
		if (!strcmp(argv[i], "--caps"))
			i++;
		else if (!tool_find(argv[i]))
			return fail(USAGE, "no tool '%s' (see ktrace list)", argv[i]);
	status = read_doctor_caps(&caps, &argc, &argv);
	if (status)
		goto out;
	for (i = 0; argc == 1 && tools[i]; i++)
		all &= diagnose(tools[i], &caps);
	for (i = 1; i < argc; i++)
		all &= diagnose(tool_find(argv[i]), &caps);
	status = help_flush();
	if (!status && !all)
		status = CANNOT;
out:
	caps_free(&caps);
	return status;
}

static const struct {
	const char *word;
	enum status (*run)(int argc, char **argv);
} commands[] = {
    {"list", do_list},   {"doctor", do_doctor},     {"caps", do_caps},
    {"links", do_links}, {"--help", do_help},       {"-h", do_help},
    {"help", do_help},   {"--version", do_version}, {"-V", do_version},
};

enum status command_run(int argc, char **argv)
{
	size_t i;

	for (i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[0], commands[i].word))
			return commands[i].run(argc, argv);
	return fail(USAGE, "no tool or command '%s' (see ktrace --help)", argv[0]);
}

enum status command_none(void)
{
	return fail(USAGE, "which tool? (see ktrace --help)");
}
