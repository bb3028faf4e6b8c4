/* How many of the ascending thresholds a has reached. */
static int32_t count_thresholds(int32_t a, const int32_t *thresholds, uint_fast16_t count) {
    uint_fast16_t low = 0;

    while (low < count) {
        const uint_fast16_t middle = (uint_fast16_t)((low + count) / 2);

        if (thresholds[middle] <= a) {
            low = (uint_fast16_t)(middle + 1);
        } else {
            count = middle;
        }
    }
    return (int32_t)low;
}
