import { join, resolve } from 'node:path'
import type { Config } from './schema.ts'

/** Makes the paths of a configuration absolute, those inside `${file:…}` references included. */
export function resolvePaths(config: Config, folder: string): Config {
  const at = (path: string): string => resolve(folder, path)
  const { embedded } = config.store
  const { socket } = config.api
  return absoluteReferences({
    ...config,
    bus: natsFiles(config.bus, at),
    store: embedded === undefined ? config.store : { ...config.store, embedded: { path: at(embedded.path) } },
    rules: { ...config.rules, folder: at(config.rules.folder) },
    projections: { path: at(config.projections.path) },
    api: config.api.listen !== undefined ? config.api : { ...config.api, socket: at(socket ?? join('data', 'api.sock')) },
  }, folder)
}

function natsFiles(bus: Config['bus'], at: (path: string) => string): Config['bus'] {
  if (bus.nats?.tls === undefined) return bus
  const files = Object.fromEntries(Object.entries(bus.nats.tls).map(([name, path]) => [name, path === undefined ? path : at(path)]))
  return { ...bus, nats: { ...bus.nats, tls: files } }
}

function absoluteReferences<T>(value: T, folder: string): T {
  if (typeof value === 'string') return absoluteReference(value, folder) as T
  if (Array.isArray(value)) return value.map((inner: unknown) => absoluteReferences(inner, folder)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, absoluteReferences<unknown>(inner, folder)])) as T
}

function absoluteReference(written: string, folder: string): string {
  const [, path] = /^\$\{file:([^}]+)\}$/.exec(written) ?? []
  return path === undefined ? written : `\${file:${resolve(folder, path)}}`
}
