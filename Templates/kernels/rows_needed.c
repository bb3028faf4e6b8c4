/* Input rows under the output row that follows the first made ones, and all rows above them. */
static int32_t rows_needed(const struct stage *stage, uint32_t made) {
    return (int32_t)(made * stage->advance) + stage->reach - stage->top;
}
