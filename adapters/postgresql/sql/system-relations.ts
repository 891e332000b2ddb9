/**
 * System relations whose rows can carry values of ordinary tables, with the columns that do (`*` for all).
 * Under a mask these columns must not be read: their origin says nothing of the table the value came from.
 */
export const CARRIERS: Readonly<Record<string, readonly string[]>> = {
  pg_statistic: [1, 2, 3, 4, 5].flatMap((slot) => [`stavalues${slot}`, `stanumbers${slot}`]),
  pg_statistic_ext_data: ['stxdmcv', 'stxdexpr'],
  pg_stats: [
    'most_common_vals', 'histogram_bounds', 'most_common_elems', 'range_bounds_histogram', 'range_length_histogram',
    // No values, and yet they tell of them: the order of rows by the column, and how often each value occurs.
    'correlation', 'most_common_freqs', 'most_common_elem_freqs', 'elem_count_histogram',
  ],
  pg_stats_ext: ['most_common_vals', 'most_common_freqs', 'most_common_base_freqs'],
  pg_stats_ext_exprs: ['most_common_vals', 'histogram_bounds', 'most_common_elems', 'correlation', 'most_common_freqs', 'most_common_elem_freqs', 'elem_count_histogram'],
  pg_stat_activity: ['query'],
  pg_largeobject: ['data'],
  pg_stat_statements: ['query'],
}
