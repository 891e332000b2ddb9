/** Masks the messages that carry the rows of one result. Not to be shared between results. */
export interface MessageMask {
  /**
   * Masks whole messages of one kind, `[start, end)`, headers included.
   *
   * Always changes `buffer`; what stands there afterwards is either masked (`undefined` is returned) or to be thrown away: what is
   * returned goes in its place. That stays as it is until a call that says that it is `reusable`.
   * @throws SallyportError PROTOCOL_VIOLATION when they are malformed or have another number of columns: nothing of them may be shown.
   */
  apply(buffer: Buffer, start: number, end: number, reusable?: boolean): Buffer | undefined
  /** Values masked so far; those that were NULL do not count. */
  readonly values: number
  /** Places of columns in which a detecting mask has found something so far. */
  readonly detected: ReadonlySet<number>
}
