/** A PostgreSQL server as a client reaches it. */
export interface Endpoint {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

export const CONTENDERS = ['direct', 'pgbouncer', 'haproxy', 'gateway', 'gateway-relaxed'] as const
export type ContenderName = (typeof CONTENDERS)[number]

/** One way to the same target. */
export interface Contender extends AsyncDisposable {
  readonly name: ContenderName
  readonly endpoint: Endpoint
  /** The process in between, whose CPU time and memory are counted; absent for `direct`. */
  readonly pid: number | undefined
}

/** What was left out of a run. */
export interface Skipped {
  readonly what: string
  readonly why: string
}
