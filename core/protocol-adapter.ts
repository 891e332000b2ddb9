/** One protocol. Each is a folder under `adapters/`, registered by an explicit list in `gateway/`. */
export interface ProtocolAdapter {
  /** `postgresql`. */
  readonly id: string
  /** What it can enforce; a rule that asks for more is refused at load. */
  readonly supports: { readonly hold: boolean; readonly mask: boolean; readonly limit: boolean }
  /** Ends every session with a clear word to its client, then resolves. Listeners are closed first. */
  stop(): Promise<void>
}

/** A listener that takes connections. */
export interface Listener {
  readonly host: string
  readonly port: number
  /** Takes no more connections; those that are there go on. */
  close(): Promise<void>
}
