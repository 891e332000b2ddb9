import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { unprivilegedUser } from '../../test/support/postgres-binaries.ts'
import { startChild } from './child.ts'
import type { Contender, Endpoint } from './contender.ts'

export interface HaproxyOptions {
  readonly program: string
  /** Its configuration is written here. */
  readonly folder: string
  readonly target: Endpoint
}

/** HAProxy in TCP mode: bytes in, the same bytes out. Its threads are as many as it starts by default: one for each core. */
export async function startHaproxy({ program, folder, target }: HaproxyOptions): Promise<Contender> {
  const own = join(folder, 'haproxy')
  mkdirSync(own, { recursive: true })
  const path = join(own, 'haproxy.cfg')
  const prepare = (port: number): string[] => {
    writeFileSync(path, configuration(target, port))
    chmodSync(path, 0o644)
    return ['-db', '-q', '-f', path]
  }
  const child = await startChild({ program, owner: unprivilegedUser(), prepare })
  return { name: 'haproxy', endpoint: { ...target, port: child.port }, pid: child.pid, [Symbol.asyncDispose]: child.stop }
}

function configuration({ host, port }: Endpoint, listenPort: number): string {
  return `global
  maxconn 4000
defaults
  mode tcp
  timeout connect 5s
  timeout client 1h
  timeout server 1h
listen postgresql
  bind 127.0.0.1:${listenPort}
  server target ${host}:${port}
`
}
