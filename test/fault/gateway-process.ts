/**
 * A gateway in a process of its own, to be killed. Its argument is JSON: where PostgreSQL is, and the audit mode.
 * Its first line says where it listens; every line after that is the id of an event that the store has acknowledged.
 */
import { writeSync } from 'node:fs'
import type { EventStore } from '../../core/index.ts'
import { startGateway } from '../support/gateway.ts'

const { postgres, audit } = JSON.parse(process.argv[2] ?? '{}') as { postgres: { host: '127.0.0.1'; port: number; user: 'postgres'; password: string }; audit: 'write-ahead' | 'relaxed' }

function telling(inner: EventStore): EventStore {
  return {
    append: async (stream, events, expected) => {
      const result = await inner.append(stream, events, expected)
      writeSync(1, events.map(({ id }) => `${id}\n`).join(''))
      return result
    },
    read: (stream, options) => inner.read(stream, options),
    readAll: (options) => inner.readAll(options),
    pending: () => inner.pending(),
    close: () => inner.close(),
  }
}

const { port, folder } = await startGateway({ postgres, audit, wrapStore: telling })
writeSync(1, `${JSON.stringify({ port, folder })}\n`)
