/*
 * The text and file part of semihosting.h on an AVR in simavr, which has neither files nor an exit
 * status: text goes through serial port 0, the last line of it is "exit" and the status, and the
 * one file there is, vectors.bin, is linked into the flash.
 */
#include "semihosting.h"

#include <avr/interrupt.h>
#include <avr/io.h>
#include <avr/pgmspace.h>
#include <avr/sleep.h>

/* Behind the code: beyond the first 64 KB, where pointers of 16 bits do not reach. */
__asm__(".pushsection .text.vectors, \"ax\", @progbits\n"
        ".global vectors_begin\n"
        "vectors_begin:\n"
        ".incbin \"vectors.bin\"\n"
        ".global vectors_end\n"
        "vectors_end:\n"
        ".balign 2\n"
        ".popsection");
extern const uint8_t vectors_begin[];
extern const uint8_t vectors_end[];

static uint32_t position;

static void write_character(char c) {
    while ((UCSR0A & (1U << UDRE0)) == 0) {
    }
    UDR0 = (uint8_t)c;
}

void semihosting_write(const char *text) {
    for (; *text != '\0'; text++) {
        write_character(*text);
    }
}

void semihosting_write_uint(uint64_t value) {
    char digits[21]; /* 2^64 has 20 */
    char *first = &digits[sizeof digits - 1];

    *first = '\0';
    do {
        *--first = (char)('0' + (int)(value % 10U));
        value /= 10U;
    } while (value != 0);
    semihosting_write(first);
}

void semihosting_write_int(int32_t value) {
    if (value < 0) {
        semihosting_write("-");
    }
    semihosting_write_uint(value < 0 ? 0U - (uint32_t)value : (uint32_t)value);
}

void semihosting_exit(int status) {
    semihosting_write("exit ");
    semihosting_write_uint((uint64_t)status);
    semihosting_write("\n");
    while ((UCSR0A & (1U << TXC0)) == 0) {
    }
    /* Asleep without interrupts it will never wake up: simavr ends. */
    cli();
    for (;;) {
        sleep_mode();
    }
}

int semihosting_open(const char *path) {
    (void)path;
    position = 0;
    return 0;
}

size_t semihosting_read(int handle, void *to, size_t bytes) {
    const uint_farptr_t begin = pgm_get_far_address(vectors_begin);
    const uint32_t left = pgm_get_far_address(vectors_end) - begin - position;
    uint8_t *byte = to;

    (void)handle;
    if (bytes > left) {
        bytes = (size_t)left;
    }
    for (size_t i = 0; i < bytes; i++) {
        *byte++ = pgm_read_byte_far(begin + position);
        position++;
    }
    return bytes;
}

int semihosting_seek(int handle, uint32_t to) {
    (void)handle;
    position = to;
    return 0;
}

void semihosting_close(int handle) {
    (void)handle;
}

/* The program's own main: the compiler is told to give it this name. */
#undef main
int program_main(int argc, char *argv[]);

int main(void) {
    static char name[] = "program";
    static char file[] = "vectors.bin";
    char *argv[3] = {name, file, NULL};

    UCSR0B = 1U << TXEN0;
    semihosting_exit(program_main(2, argv));
}
