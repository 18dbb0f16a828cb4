/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "core/state.h"

#include <errno.h>
#include <string.h>

#define STATE_ALL ((1U << STATE_COUNT) - 1)

_Static_assert(sizeof(STATE_LETTERS) - 1 == STATE_COUNT, "one letter per state");

static const struct {
	const char *name;
	enum state state;
} long_names[] = {
    {"running", STATE_R}, {"interruptible", STATE_S}, {"uninterruptible", STATE_D},
    {"idle", STATE_I},    {"killable", STATE_K},      {"stopped", STATE_T},
    {"parked", STATE_P},  {"traced", STATE_TRACED},   {"rtlock", STATE_L},
    {"dead", STATE_X},    {"zombie", STATE_Z},        {"new", STATE_N},
};

int state_index(char letter)
{
	const char *at = letter ? strchr(STATE_LETTERS, letter) : NULL;

	return at ? (int)(at - STATE_LETTERS) : -1;
}

char state_index_letter(uint32_t index)
{
	return index < STATE_COUNT ? STATE_LETTERS[index] : '?';
}

char state_letter(uint32_t raw)
{
	return state_index_letter(state_index_of_raw(raw));
}

static int word_index(const char *word, size_t len)
{
	if (len == 1)
		return state_index(*word);
	for (size_t i = 0; i < sizeof(long_names) / sizeof(*long_names); i++)
		if (strlen(long_names[i].name) == len && !memcmp(long_names[i].name, word, len))
			return long_names[i].state;
	return -1;
}

static int parse_letters(const char *arg, struct state_filter *out)
{
	int all_but = *arg == '!';
	uint32_t letters = 0;

	for (arg += all_but;; arg++) {
		size_t len = strcspn(arg, ",");
		int index = word_index(arg, len);

		if (index < 0)
			return -EINVAL;
		letters |= 1U << index;
		arg += len;
		if (!*arg)
			break;
	}
	if (all_but)
		letters = STATE_ALL & ~letters;
	if (!letters)
		return -EINVAL;
	*out = (struct state_filter){.on = 1, .letters = letters};
	return 0;
}

static int digit_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

static int parse_raw(const char *arg, struct state_filter *out)
{
	int base = arg[0] == '0' && (arg[1] | 0x20) == 'x' ? 16 : 10;
	uint64_t mask = 0;

	if (base == 16)
		arg += 2;
	do {
		int digit = digit_value(*arg);

		if (digit >= base)
			return -EINVAL;
		mask = mask * base + digit;
		if (mask > UINT32_MAX)
			return -EINVAL;
	} while (*++arg);
	*out = (struct state_filter){.on = 1, .by_raw = 1, .raw_mask = mask};
	return 0;
}

int state_parse(const char *arg, struct state_filter *out)
{
	if (*arg >= '0' && *arg <= '9')
		return parse_raw(arg, out);
	return parse_letters(arg, out);
}
