import { once } from 'node:events'
import { connect, createServer } from 'node:net'

export interface CuttingProxy {
  readonly port: number
  /** From now on, what the server sends comes in pieces of so many bytes, each by itself; Infinity: as it comes. */
  cutInto(bytes: number): void
  close(): void
}

/** Forwards connections, and cuts what the server sends. */
export async function cuttingProxy(port: number): Promise<CuttingProxy> {
  let bytes = Infinity
  const server = createServer({ noDelay: true }, (client) => {
    const target = connect(port, '127.0.0.1')
    let last = Promise.resolve()
    client.on('error', () => target.destroy()).on('close', () => target.destroy()).pipe(target)
    target.on('error', () => client.destroy()).on('end', () => void last.then(() => client.end()))
    target.on('data', (chunk: Buffer) => {
      last = last.then(async () => {
        for (let at = 0; at < chunk.length; at += bytes) {
          client.write(chunk.subarray(at, at + bytes))
          await new Promise(setImmediate)
        }
      })
    })
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port: own } = server.address() as { port: number }
  return { port: own, cutInto: (piece) => void (bytes = piece), close: () => void server.close() }
}
