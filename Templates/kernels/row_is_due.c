/*
 * Whether the next output row can be made: rows[0] input rows have arrived, rows[1] output rows are
 * done. Padding below counts as arrived together with the last row.
 */
static int row_is_due(const IN_FLASH struct stage *stage, const uint16_t *rows) {
    return rows[1] < stage->out_height &&
           (rows[0] == stage->height || rows[0] >= rows_needed(stage, rows[1]));
}
