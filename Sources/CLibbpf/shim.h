#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

/* What a print function of libbpf's is called with, as a string to free(); NULL if there is no memory */
static inline char *clibbpf_text(const char *format, va_list arguments)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, arguments);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0 || !(text = malloc((size_t)length + 1)))
		return NULL;
	vsnprintf(text, (size_t)length + 1, format, arguments);
	return text;
}
