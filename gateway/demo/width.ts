/** Columns that everything printed fits in. */
export const WIDTH = 100
