/* Semihosting by the traps of "Semihosting for AArch32 and AArch64" and of the RISC-V document. */
#include "semihosting.h"

#include <string.h>

enum operation {
    SYS_OPEN = 0x01,
    SYS_CLOSE = 0x02,
    SYS_WRITE = 0x05,
    SYS_READ = 0x06,
    SYS_SEEK = 0x0A,
    SYS_GET_CMDLINE = 0x15,
    SYS_EXIT_EXTENDED = 0x20
};

enum { OPEN_READ_BINARY = 1, OPEN_WRITE = 4, STOPPED_APPLICATION_EXIT = 0x20026 };

/* Not inlined: the parameters must stand in the registers that the trap looks at. */
__attribute__((noinline)) static intptr_t trap(enum operation operation, void *parameter) {
#if defined(__riscv)
    register intptr_t a0 __asm__("a0") = (intptr_t)operation;
    register void *a1 __asm__("a1") = parameter;
    /* The three instructions are one magic word: uncompressed and on one page. */
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     ".balign 16\n"
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     ".option pop"
                     : "+r"(a0)
                     : "r"(a1)
                     : "memory");
    return a0;
#else
    register intptr_t r0 __asm__("r0") = (intptr_t)operation;
    register void *r1 __asm__("r1") = parameter;
    __asm__ volatile("bkpt 0xAB" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
#endif
}

static int open_file(const char *path, int mode) {
    struct {
        const char *path;
        intptr_t mode;
        size_t length;
    } parameters = {path, mode, strlen(path)};
    return (int)trap(SYS_OPEN, &parameters);
}

/* SYS_WRITE0 would be simpler, but QEMU sends it to standard error. */
void semihosting_write(const char *text) {
    static int terminal = -1;
    if (terminal < 0) {
        terminal = open_file(":tt", OPEN_WRITE);
    }
    struct {
        intptr_t handle;
        const char *text;
        size_t length;
    } parameters = {terminal, text, strlen(text)};
    trap(SYS_WRITE, &parameters);
}

void semihosting_write_uint(uint64_t value) {
    char digits[21]; /* 2^64 has 20 */
    char *first = &digits[sizeof digits - 1];
    *first = '\0';
    do {
        *--first = (char)('0' + (int)(value % 10u));
        value /= 10u;
    } while (value != 0);
    semihosting_write(first);
}

void semihosting_write_int(int32_t value) {
    if (value < 0) {
        semihosting_write("-");
    }
    /* Negated as unsigned: the most negative value has no positive counterpart. */
    semihosting_write_uint(value < 0 ? 0u - (uint32_t)value : (uint32_t)value);
}

void semihosting_exit(int status) {
    struct {
        intptr_t reason;
        intptr_t status;
    } parameters = {STOPPED_APPLICATION_EXIT, status};
    for (;;) {
        trap(SYS_EXIT_EXTENDED, &parameters);
    }
}

int semihosting_open(const char *path) {
    return open_file(path, OPEN_READ_BINARY);
}

size_t semihosting_read(int handle, void *to, size_t bytes) {
    struct {
        intptr_t handle;
        void *to;
        size_t bytes;
    } parameters = {handle, to, bytes};
    /* The answer is the number of bytes that did NOT arrive. */
    const size_t missing = (size_t)trap(SYS_READ, &parameters);
    return missing <= bytes ? bytes - missing : 0;
}

int semihosting_seek(int handle, uint32_t position) {
    struct {
        intptr_t handle;
        size_t position;
    } parameters = {handle, position};
    return (int)trap(SYS_SEEK, &parameters);
}

void semihosting_close(int handle) {
    intptr_t parameters[1] = {handle};
    trap(SYS_CLOSE, parameters);
}

int main(int argc, char *argv[]);

void semihosting_run_main(void) {
    static char line[512];
    static char *argv[17]; /* 16 words and the closing null pointer */
    struct {
        char *line;
        size_t bytes;
    } parameters = {line, sizeof line};
    if (trap(SYS_GET_CMDLINE, &parameters) != 0) {
        line[0] = '\0';
    }
    /* By hand: picolibc keeps the state of strtok in thread-local storage, which is not set up. */
    int argc = 0;
    char *c = line;
    while (*c != '\0' && argc < 16) {
        argv[argc++] = c;
        while (*c != '\0' && *c != ' ') {
            c++;
        }
        while (*c == ' ') {
            *c++ = '\0';
        }
    }
    semihosting_exit(main(argc, argv));
}
