/* Whether the output row behind the first made ones can be made of the input rows so far. */
static int next_row_is_due(const IN_FLASH struct stage *stage, uint32_t arrived, uint32_t made) {
    return made < stage->out_height &&
           (arrived == stage->height || (int32_t)arrived >= rows_needed(stage, made));
}
