import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'

export interface SlowForCancels {
  readonly port: number
  release(): void
  /** Resolves once there is one that it holds. */
  readonly held: Promise<void>
  close(): Promise<void>
}

/** Forwards connections, but holds those that begin with a CancelRequest until `release`. */
export async function slowForCancels(port: number): Promise<SlowForCancels> {
  const released = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  const server: Server = createServer({ allowHalfOpen: true }, (socket: Socket) => {
    socket.on('error', () => undefined)
    socket.once('data', (first: Buffer) => {
      const isCancel = first.length >= 8 && first.readInt32BE(4) === 80_877_102
      const forward = (): void => {
        const target = connect(port, '127.0.0.1')
        target.on('error', () => undefined)
        target.write(first)
        socket.pipe(target).pipe(socket)
      }
      if (!isCancel) return forward()
      socket.pause()
      held.resolve()
      void released.promise.then(forward)
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  return {
    port: (server.address() as { port: number }).port, held: held.promise, release: released.resolve,
    close: async () => {
      server.close()
      await once(server, 'close')
    },
  }
}
