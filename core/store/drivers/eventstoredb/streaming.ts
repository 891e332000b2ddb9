import type { ResolvedEvent } from '@eventstore/db-client'

/** A read or a subscription of the client library. */
export interface ServerStream {
  readonly events: AsyncIterable<ResolvedEvent> & {
    on(event: 'error', listener: (error: Error) => void): unknown
    destroy(): unknown
  }
  /** Ends the call at the server. */
  readonly stop: () => Promise<void>
}

/**
 * What the server sends, until it ends, the signal aborts, or the consumer leaves; then the call at the server is
 * ended too, which the library's own iterator forgets.
 */
export async function* streamEvents(open: () => ServerStream, signal?: AbortSignal): AsyncGenerator<ResolvedEvent> {
  if (signal?.aborted) return
  const { events, stop } = open()
  const abort = (): void => void events.destroy()
  // The library emits errors even after the consumer has left. Node's iterator happens to go on listening then; were
  // it to stop, such an error would end the process.
  events.on('error', ignore)
  signal?.addEventListener('abort', abort, { once: true })
  try {
    for await (const event of events) yield event
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', abort)
    await stop().catch(ignore)
  }
}

function ignore(): void {}
