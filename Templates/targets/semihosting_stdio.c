/* The text and file part of semihosting.h on a host that has a C library. */
#include "semihosting.h"

#include <stdio.h>
#include <stdlib.h>

/* One file at a time is all that the tests need; its handle is 0. */
static FILE *file;

void semihosting_write(const char *text) {
    fputs(text, stdout);
}

void semihosting_write_int(int32_t value) {
    printf("%ld", (long)value);
}

void semihosting_write_uint(uint64_t value) {
    printf("%llu", (unsigned long long)value);
}

void semihosting_exit(int status) {
    exit(status);
}

int semihosting_open(const char *path) {
    file = fopen(path, "rb");
    return file != NULL ? 0 : -1;
}

size_t semihosting_read(int handle, void *to, size_t bytes) {
    (void)handle;
    return fread(to, 1, bytes, file);
}

int semihosting_seek(int handle, uint32_t position) {
    (void)handle;
    return fseek(file, (long)position, SEEK_SET);
}

void semihosting_close(int handle) {
    (void)handle;
    fclose(file);
}
