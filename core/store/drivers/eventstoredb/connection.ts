import { EventStoreDBClient } from '@eventstore/db-client'
import { SallyportError } from '../../../errors.ts'

/** Query parameters the client library knows, in lower case. For any other it prints the whole string, password and all. */
const PARAMETERS = new Set([
  'connectionname', 'defaultdeadline', 'discoveryinterval', 'gossiptimeout', 'keepaliveinterval', 'keepalivetimeout',
  'maxdiscoverattempts', 'nodepreference', 'throwonappendfailure', 'tls', 'tlscafile', 'usercertfile', 'userkeyfile',
])

/**
 * A client for `esdb://user:password@host:port?key=value` (or `esdb+discover://`). It connects with its first call.
 * Throws `CONFIG_INVALID`; no message or cause of it holds the connection string.
 */
export function createClient(connectionString: string): EventStoreDBClient {
  checkParameters(connectionString)
  const client = parse(connectionString)
  tame(client)
  return client
}

/** Ends every call and gives the sockets back; the library's `dispose` leaves them open. */
export async function endClient(client: EventStoreDBClient): Promise<void> {
  await client.dispose()
  const channel = await internals(client).getChannel().catch(() => undefined)
  channel?.close()
}

interface Internals {
  handleError: (client: unknown, error: Error) => Promise<void>
  supports: (method: unknown, feature?: string) => Promise<boolean>
  getChannel(): Promise<{ close(): void }>
}

function internals(client: EventStoreDBClient): Internals {
  return client as unknown as Internals
}

/**
 * Two things in @eventstore/db-client 6.2.1 can end the whole process (read in its source):
 *
 * - Its BatchAppend keeps waiting calls in one table for all clients of the process. When one connection breaks,
 *   the calls of every other are rejected too, and an answer that then arrives throws where nobody can catch it.
 *   So the server counts as one without BatchAppend, and each append is a call of its own with a deadline of its own.
 * - `handleError` runs unawaited and waits for a connection that may fail as well.
 */
function tame(client: EventStoreDBClient): void {
  const inside = internals(client)
  const handleError = inside.handleError
  inside.handleError = (failed, error) => handleError(failed, error).catch(() => {})
  inside.supports = async () => false
}

function parse(connectionString: string): EventStoreDBClient {
  try {
    return EventStoreDBClient.connectionString(connectionString)
  } catch (error) {
    // The library's error holds the string as a property; only its message about a certificate file is safe to show.
    const file = error instanceof Error && error.message.startsWith('Failed to load certificate') ? `: ${error.message}` : ''
    throw invalid(`the connection string cannot be used${file}; it looks like esdb://user:password@host:2113?tls=true`)
  }
}

function checkParameters(connectionString: string): void {
  const query = connectionString.slice(connectionString.lastIndexOf('@') + 1).split('?')[1] ?? ''
  for (const pair of query.split('&').filter((text) => text !== '')) {
    const key = pair.split('=')[0] ?? ''
    if (!PARAMETERS.has(key.trim().toLowerCase().replace(/[_-]/g, ''))) {
      throw invalid(`"${key}" is no parameter of the connection string (certificates are always verified; tlsCAFile names an authority)`)
    }
  }
}

function invalid(message: string): SallyportError {
  return new SallyportError('CONFIG_INVALID', `store eventstoredb: ${message}`)
}
