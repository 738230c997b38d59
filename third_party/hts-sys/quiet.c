/* htslib's decoders write to standard error whatever its log level. build.rs gives these names to its calls of fprintf and
   perror. */
#include <stdarg.h>
#include <stdio.h>

int cnnfilter_fprintf(FILE *stream, const char *format, ...)
{
	int written = 0;
	if (stream != stderr) {
		va_list arguments;
		va_start(arguments, format);
		written = vfprintf(stream, format, arguments);
		va_end(arguments);
	}
	return written;
}

void cnnfilter_perror(const char *what)
{
	(void)what;
}
