/** How the rows of a COPY TO STDOUT are written. Source: PostgreSQL documentation, COPY, "File Formats". */
export interface CopyFormat {
  readonly kind: 'text' | 'csv' | 'binary'
  /** One ASCII character, as the byte that it is; so are `quote` and `escape`. */
  readonly delimiter: number
  readonly quote: number
  readonly escape: number
  /** What stands for NULL. */
  readonly null: string
  /** The first row holds the names of the columns. */
  readonly header: boolean
  /** Columns are quoted that need not be. */
  readonly forceQuote: boolean
  /** Why rows that are written like this cannot be masked; empty when they can. */
  readonly problem: string
}
