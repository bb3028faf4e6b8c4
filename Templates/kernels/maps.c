/*
 * A convolution that makes whole maps: the weights of an output channel are decoded once for all
 * of its rows. The map of a channel is its rows after one another, a byte each, and some bytes up
 * to a multiple of 16, which nobody looks at: they are the last ones, and carries between the
 * bytes' lanes go upwards only.
 */
struct maps {
    const uint8_t *weights; /* packed, of all channels */
    const uint16_t *multiplier;
    const int32_t *bias; /* its lowest bits: see requantize_lanes */
    uint16_t channels;   /* of the output */
    uint16_t taps;       /* weights of a channel */
    uint16_t lift;       /* of both lanes */
    uint16_t in_bytes;   /* of a channel's map */
    uint16_t out_bytes;
    uint16_t height; /* of the input */
    uint16_t width;
    uint16_t out_height;
    uint16_t out_width;
    uint16_t kernel_height;
    uint16_t kernel_width;
    uint16_t top;     /* padding above */
    uint16_t halo;    /* columns of padding between two rows */
    uint16_t skip;    /* of them, those before the first window */
    uint16_t padding; /* its level */
    uint16_t quarter; /* output rows of each byte of a word */
    uint16_t pitch;   /* words of a row with the halo before it */
    uint16_t sums;    /* words of four sums, a multiple of four of them */
    uint16_t spread;  /* words under them */
    uint8_t bits;     /* of a level */
};
