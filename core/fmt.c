/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbers and times as a person reads them; strings are in escape.c. */
#include "core/fmt.h"

#include <inttypes.h>
#include <time.h>

#define NS_PER_SEC 1000000000ULL

/* Three significant digits of a value that is in the unit shown. */
static char *put_scaled(char *buf, size_t size, const char *sign, double value, const char *unit)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(buf, size, "%s%.*f%s", sign, decimals, value, unit);
	return buf;
}

char *fmt_ns(char *buf, size_t size, uint64_t ns)
{
	static const char *const units[] = {"ns", "us", "ms", "s"};
	double value = (double)ns;
	unsigned u = 0;

	if (ns < 1000) {
		snprintf(buf, size, "%" PRIu64 "ns", ns);
		return buf;
	}
	/* 999.5 and more would round to a fourth digit. */
	for (; u < 3 && value >= 999.5; u++)
		value /= 1000;
	return put_scaled(buf, size, "", value, units[u]);
}

char *fmt_bytes(char *buf, size_t size, int64_t bytes)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};
	const char *sign = bytes < 0 ? "-" : "";
	uint64_t magnitude = bytes < 0 ? -(uint64_t)bytes : (uint64_t)bytes;
	double value = (double)magnitude;
	unsigned u = 0;

	if (magnitude < 1024) {
		snprintf(buf, size, "%s%" PRIu64 "B", sign, magnitude);
		return buf;
	}
	for (; u < 6 && value >= 1023.5; u++)
		value /= 1024;
	return put_scaled(buf, size, sign, value, units[u]);
}

char *fmt_milli(char *buf, size_t size, uint64_t milli, unsigned decimals)
{
	uint64_t drop = decimals == 0 ? 1000 : decimals == 1 ? 100 : decimals == 2 ? 10 : 1;
	uint64_t scale = 1000 / drop, rounded = milli / drop + (milli % drop * 2 >= drop);

	if (drop == 1)
		rounded = milli;
	if (decimals == 0)
		snprintf(buf, size, "%" PRIu64, rounded);
	else
		snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64, rounded / scale,
			 decimals > 3 ? 3 : (int)decimals, rounded % scale);
	return buf;
}

char *fmt_load(char *buf, size_t size, uint64_t load, unsigned decimals)
{
	uint64_t scale = 1, whole = load >> 16, part;

	for (unsigned i = 0; i < decimals && i < 9; i++)
		scale *= 10;
	part = ((load & 0xffff) * scale + 0x8000) >> 16;
	if (part >= scale) {
		whole++;
		part -= scale;
	}
	if (decimals == 0)
		snprintf(buf, size, "%" PRIu64, whole);
	else
		snprintf(buf, size, "%" PRIu64 ".%0*" PRIu64, whole, (int)decimals, part);
	return buf;
}

static char *put_time(char *buf, size_t size, const char *format, time_t seconds, int utc)
{
	struct tm tm;

	if (!(utc ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm)) ||
	    strftime(buf, size, format, &tm) == 0)
		snprintf(buf, size, "?");
	return buf;
}

char *fmt_time_iso(char *buf, size_t size, uint64_t realtime_ns)
{
	char seconds[32];

	put_time(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", (time_t)(realtime_ns / NS_PER_SEC),
		 1);
	snprintf(buf, size, "%s.%03uZ", seconds, (unsigned)(realtime_ns % NS_PER_SEC / 1000000));
	return buf;
}

char *fmt_time_clock(char *buf, size_t size, uint64_t realtime_ns, int utc)
{
	return put_time(buf, size, "%H:%M:%S", (time_t)(realtime_ns / NS_PER_SEC), utc);
}
