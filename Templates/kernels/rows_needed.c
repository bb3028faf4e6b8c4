/* Input rows under the output row that follows the first made ones, and all rows above them. */
static int32_t rows_needed(const IN_FLASH struct stage *stage, uint32_t made) {
    return (int32_t)(made * stage->advance) + stage->reach - stage->top;
}
