import { startChild } from './child.ts'
import type { Contender, Endpoint } from './contender.ts'

export interface HaproxyOptions {
  readonly program: string
  readonly target: Endpoint
}

/** HAProxy in TCP mode: bytes in, the same bytes out. Its threads are as many as it starts by default: one for each core. */
export async function startHaproxy({ program, target }: HaproxyOptions): Promise<Contender> {
  const child = await startChild({ program, files: (port) => ({ 'haproxy.cfg': configuration(target, port) }), args: ['-db', '-f', 'haproxy.cfg'] })
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
