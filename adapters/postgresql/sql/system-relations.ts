/**
 * System relations whose rows can carry values of ordinary tables, with the columns that do (`*` for all).
 * Under a mask these columns must not be read: their origin says nothing of the table the value came from.
 */
export const CARRIERS: Readonly<Record<string, readonly string[]>> = {
  pg_statistic: ['stavalues1', 'stavalues2', 'stavalues3', 'stavalues4', 'stavalues5'],
  pg_statistic_ext_data: ['stxdmcv', 'stxdexpr'],
  pg_stats: ['most_common_vals', 'histogram_bounds', 'most_common_elems', 'range_bounds_histogram', 'range_length_histogram'],
  pg_stats_ext: ['most_common_vals'],
  pg_stats_ext_exprs: ['most_common_vals', 'histogram_bounds', 'most_common_elems'],
  pg_stat_activity: ['query'],
  pg_largeobject: ['data'],
  pg_stat_statements: ['query'],
}
