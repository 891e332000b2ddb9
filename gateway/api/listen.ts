import { chmod, lstat, mkdir, unlink } from 'node:fs/promises'
import { connect } from 'node:net'
import { dirname } from 'node:path'
import type { FastifyInstance } from 'fastify'
import { SallyportError } from '../../core/index.ts'
import type { Config } from '../config/index.ts'

/**
 * Opens the API to callers and returns where: `unix:/path` or `http://127.0.0.1:8443`.
 * A socket that a dead gateway left is replaced; one that somebody answers on is not.
 */
export async function listenApi(app: FastifyInstance, { socket, listen }: Config['api']): Promise<string> {
  if (socket === undefined) {
    const { host, port } = listen ?? { host: '127.0.0.1', port: 0 }
    return app.listen({ host, port })
  }
  await mkdir(dirname(socket), { recursive: true, mode: 0o700 })
  await removeStale(socket)
  const mask = process.umask(0o177)
  try {
    await app.listen({ path: socket })
  } finally {
    process.umask(mask)
  }
  await chmod(socket, 0o600)
  return `unix:${socket}`
}

async function removeStale(socket: string): Promise<void> {
  const found = await lstat(socket).catch(() => undefined)
  if (found === undefined) return
  if (!found.isSocket()) throw new SallyportError('CONFIG_INVALID', `${socket} is a file, not a socket; write another api.socket`)
  if (await answers(socket)) throw new SallyportError('CONFIG_INVALID', `another gateway listens on ${socket}; stop it, or write another api.socket`)
  await unlink(socket)
}

function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket)
    probe.once('connect', () => { probe.destroy(); resolve(true) })
    probe.once('error', () => resolve(false))
  })
}
