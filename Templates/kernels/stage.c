/* A layer's window and the buffer that holds its input rows. */
struct stage {
    uint32_t buffer; /* offset of slot 0 in the state */
    uint32_t row_stride;
    uint16_t slots;
    uint16_t channel_stride;
    uint16_t height; /* of the input */
    uint16_t out_height;
    uint16_t out_width; /* before a fused pool */
    uint16_t pool_height;
    uint16_t pool_width;
    uint16_t kernel_height;
    uint16_t kernel_width;
    uint16_t stride_height;
    uint16_t stride_width;
    uint16_t top;     /* padding above */
    uint16_t above;   /* so much of it is stored */
    uint16_t left;    /* padding on the left */
    uint16_t padding; /* its code */
    uint16_t reach;   /* input rows under one output row, those of a fused pool's other rows too */
    uint16_t advance; /* input rows from an output row to the next */
    uint16_t slides;  /* rows move up by so many when an output row has been made */
    uint16_t step;    /* rows from a window to the next, where they do not move */
};
