import { hash } from 'node:crypto'
import { corrupt } from './store-failure.ts'

/**
 * One commit as stored: one or more appends, one after the other.
 *
 * `appends` says whose they are, in clear, so that a stream is found without unpacking: a line feed, then for each
 * append its stream, the revision of its first event and how many events it has, between tabs, and a line feed.
 * (No stream name has a control character.) `body` holds, packed, a line for each: its events as a JSON array, and a line feed.
 */
export interface CommitRow {
  /** Of its first event; the others count on from there. */
  readonly position: number
  /** Events in all its appends. */
  readonly count: number
  readonly appends: string
  /** What is in `body`, unpacked: bytes of UTF-8. */
  readonly size: number
  /** How `body` is packed; see packing.ts. */
  readonly codec: number
  readonly body: Uint8Array
}
export interface ChainedRow extends CommitRow {
  readonly digest: string
}

/** The columns of a `CommitRow`. */
export const COMMIT_COLUMNS = 'position, count, appends, size, codec, body'

/** Of one append, as `CommitRow.appends` has it. */
export interface AppendLine {
  readonly stream: string
  /** Of its first event. */
  readonly revision: number
  readonly count: number
}

/** `CommitRow.appends` before the first line is added to it. */
export const NO_LINES = '\n'

export function appendLine(stream: string, revision: number, count: number): string {
  return `${stream}\t${revision}\t${count}\n`
}

/** What stands before a stream's revision in `CommitRow.appends`, wherever the stream has a line there. */
export function lineStart(stream: string): string {
  return `\n${stream}\t`
}

export function appendLines(row: Pick<CommitRow, 'position' | 'appends'>, path: string): AppendLine[] {
  return row.appends.slice(NO_LINES.length, -1).split('\n').map((line) => {
    const [stream = '', revision = '', count = ''] = line.split('\t')
    if (!NUMBER.test(revision) || !NUMBER.test(count)) throw corrupt(path, `the commit at position ${row.position} does not say whose it is`)
    return { stream, revision: Number(revision), count: Number(count) }
  })
}
const NUMBER = /^\d{1,15}$/

/** Each stream that has events in the row, with the revision of the first of them. */
export function firstRevisions(lines: readonly AppendLine[]): ReadonlyMap<string, number> {
  const first = new Map<string, number>()
  for (const { stream, revision } of lines) if (!first.has(stream)) first.set(stream, revision)
  return first
}

/**
 * Chains a row to the one before it: base64url of SHA-256 over the earlier digest, the row's numbers and the size of
 * `appends` in bytes, each with a line feed, then `appends` and `body` as stored.
 * The first row's `previous` is the store's id.
 */
export function digestOf(previous: string, { position, count, appends, size, codec, body }: CommitRow): string {
  const head = `${previous}\n${position}\n${count}\n${size}\n${codec}\n${Buffer.byteLength(appends)}\n${appends}`
  return hash('sha256', Buffer.concat([Buffer.from(head), body]), 'base64url')
}
