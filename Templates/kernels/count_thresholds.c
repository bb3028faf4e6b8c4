/* How many of the ascending thresholds a has reached. */
static int32_t count_thresholds(int32_t a, const IN_FLASH int32_t *thresholds, uint32_t count) {
    uint32_t low = 0;

    while (low < count) {
        const uint32_t middle = (low + count) / 2;

        if (thresholds[middle] <= a) {
            low = middle + 1;
        } else {
            count = middle;
        }
    }
    return (int32_t)low;
}
