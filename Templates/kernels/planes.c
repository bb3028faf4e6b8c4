/*
 * The extents of a convolution that makes whole planes: the weights of an output channel are
 * decoded once for all of its rows. The map of a channel is its rows after one another, a byte
 * each, and some bytes up to a multiple of 16, which nobody looks at.
 */
struct grid {
    uint16_t channels; /* of the output */
    uint16_t taps;     /* weights of a channel */
    uint16_t in_bytes; /* of a channel's map */
    uint16_t out_bytes;
    uint16_t height; /* of the input */
    uint16_t width;
    uint16_t out_height;
    uint16_t out_width;
    uint16_t tap_rows;    /* taps are rows of columns: of a window, or one for each input map */
    uint16_t tap_columns; /* words */
    uint16_t tap_first;   /* bytes before the first one */
    uint16_t tap_step;    /* bytes from a row of them to the next */
    uint16_t top;         /* padding above */
    uint16_t rows;        /* of words under four rows each */
    uint16_t quarter;     /* output rows of each byte of a word */
    uint16_t pitch;       /* words of a row with the padding before it */
    uint16_t swar4;       /* words that are made of a channel */
    uint16_t spread;      /* words under them, and a row of bytes of padding; 0: the planes' own */
    uint8_t bits;         /* of a code */
};

/* Such a layer. */
struct planes {
    const IN_FLASH struct grid *grid;
    const IN_FLASH uint8_t *weights; /* packed, of all channels */
    const IN_FLASH uint16_t *scale;  /* three of each: a multiplier, a bias that holds the shift */
    uint32_t out;                    /* offset of its planes in the state */
    uint16_t guard;                  /* of all lanes */
    uint16_t padding;                /* its code */
};

/*
 * Bytes behind a map share its last word. As its upper lanes they do not matter, since carries go
 * upwards only; but where the most significant byte comes first, they are the lower ones, and must
 * not borrow from the lanes above. Elsewhere compilers leave this out.
 */
static void end_plane(const IN_FLASH struct grid *g, uint8_t *map) {
    const uint16_t one = 1;

    if (*(const uint8_t *)(const void *)&one == 0) {
        for (uint32_t i = (uint32_t)g->out_height * g->out_width; i < g->out_bytes; i++) {
            map[i] = 0;
        }
    }
}
