/* get FIELD...: fields of the JSON object on stdin, such as victim.pid, on one line with spaces between.
 * For jq, which compiles its library at each start, is most of what a scenario would do in an emulated machine.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const json_t *find(const json_t *value, char *path)
{
	for (char *key = strtok(path, "."); key; key = strtok(NULL, "."))
		value = json_object_get(value, key);
	return value;
}

int main(int argc, char **argv)
{
	json_error_t error;
	json_t *root = json_loadf(stdin, 0, &error);

	if (!root) {
		fprintf(stderr, "get: %s\n", error.text);
		return 1;
	}
	for (int i = 1; i < argc; i++) {
		const json_t *value = find(root, argv[i]);

		fputs(i > 1 ? " " : "", stdout);
		if (json_is_string(value))
			fputs(json_string_value(value), stdout);
		else if (!value || json_is_null(value))
			fputs("null", stdout);
		else
			json_dumpf(value, stdout, JSON_ENCODE_ANY | JSON_COMPACT);
	}
	putchar('\n');
	return 0;
}
