// SPDX-License-Identifier: GPL-2.0-or-later
#include "core/number.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct suffix {
	const char *name;
	uint64_t factor;
};

int number_u64(const char *s, uint64_t *out)
{
	unsigned long long value;
	char *end;
	int base = s[0] == '0' && (s[1] == 'x' || s[1] == 'X') ? 16 : 10;

	if (!isdigit((unsigned char)s[0])) /* strtoull takes signs and blanks */
		return -EINVAL;
	errno = 0;
	value = strtoull(s, &end, base);
	if (*end)
		return -EINVAL;
	if (errno == ERANGE)
		return -ERANGE;
	*out = value;
	return 0;
}

/* A digit's value and one; 0: it is none. By a table: kallsyms has two million of them. */
static const uint8_t hex_digit[256] = {
    ['0'] = 1,  ['1'] = 2,  ['2'] = 3,  ['3'] = 4,  ['4'] = 5,  ['5'] = 6,  ['6'] = 7,  ['7'] = 8,
    ['8'] = 9,  ['9'] = 10, ['a'] = 11, ['b'] = 12, ['c'] = 13, ['d'] = 14, ['e'] = 15, ['f'] = 16,
    ['A'] = 11, ['B'] = 12, ['C'] = 13, ['D'] = 14, ['E'] = 15, ['F'] = 16,
};

const char *number_hex(const char *s, const char *end, int max, uint64_t *value)
{
	const char *begin = s;
	uint64_t sum = 0;
	unsigned digit;

	for (; s < end && (digit = hex_digit[(unsigned char)*s]); s++)
		sum = sum << 4 | (digit - 1);
	*value = sum;
	return s == begin || s - begin > max ? NULL : s;
}

/* Digits after the point, as billionths; more than nine are cut. */
static const char *read_fraction(const char *s, uint64_t *billionths)
{
	uint64_t digit = 100000000;

	*billionths = 0;
	for (; isdigit((unsigned char)*s); s++) {
		*billionths += (uint64_t)(*s - '0') * digit;
		digit /= 10;
	}
	return s;
}

/* WHOLE[.FRACTION][SUFFIX]; the suffix "" is the default factor. */
static int read_scaled(const char *s, const struct suffix *suffixes, uint64_t *out)
{
	uint64_t whole, fraction = 0;
	char *end;

	if (!isdigit((unsigned char)s[0]))
		return -EINVAL;
	errno = 0;
	whole = strtoull(s, &end, 10);
	if (errno == ERANGE)
		return -ERANGE;
	if (*end == '.') {
		if (!isdigit((unsigned char)end[1]))
			return -EINVAL;
		end = (char *)read_fraction(end + 1, &fraction);
	}
	for (; suffixes->name; suffixes++)
		if (!strcasecmp(end, suffixes->name))
			break;
	if (!suffixes->name)
		return -EINVAL;
	if (__builtin_mul_overflow(whole, suffixes->factor, out))
		return -ERANGE;
	fraction = (uint64_t)((unsigned __int128)fraction * suffixes->factor / 1000000000u);
	if (__builtin_add_overflow(*out, fraction, out))
		return -ERANGE;
	return 0;
}

int number_time_ns(const char *s, uint64_t *out)
{
	static const struct suffix suffixes[] = {
	    {"", 1000}, {"ns", 1}, {"us", 1000}, {"ms", 1000000}, {"s", 1000000000}, {NULL, 0},
	};

	return read_scaled(s, suffixes, out);
}

int number_seconds_ns(const char *s, uint64_t *out)
{
	static const struct suffix suffixes[] = {
	    {"", 1000000000},
	    {"s", 1000000000},
	    {"ms", 1000000},
	    {NULL, 0},
	};
	int err = read_scaled(s, suffixes, out);

	if (err)
		return err;
	/* A timer takes a signed number of ns; 100 years are enough for anybody. */
	return *out < 1000000 || *out > 3155760000ULL * 1000000000 ? -ERANGE : 0;
}

int number_bytes(const char *s, uint64_t *out)
{
	static const struct suffix suffixes[] = {
	    {"", 1},          {"b", 1},       {"k", 1024},      {"kib", 1024}, {"m", 1 << 20},
	    {"mib", 1 << 20}, {"g", 1 << 30}, {"gib", 1 << 30}, {NULL, 0},
	};

	return read_scaled(s, suffixes, out);
}
