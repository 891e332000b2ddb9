/** The parts in use of packages that come without types. */
declare module 'pg-cursor' {
  import type { Submittable } from 'pg'
  export default class Cursor implements Submittable {
    constructor(text: string, values?: readonly unknown[])
    submit(connection: unknown): void
    read(rows: number): Promise<Record<string, unknown>[]>
    close(): Promise<void>
  }
}

declare module 'pg-copy-streams' {
  import type { Duplex, Readable } from 'node:stream'
  import type { Submittable } from 'pg'
  export function from(text: string): Duplex & Submittable & { readonly rowCount: number }
  export function to(text: string): Readable & Submittable & { readonly rowCount: number }
}
