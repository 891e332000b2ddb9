/**
 * A process that appends to a store until it is killed. Prints `opened`, then a line for each acknowledged append:
 * stream, revision, position, and the ids of its two events.
 *
 *     node appending-process.ts PATH
 */
import { randomUUID } from 'node:crypto'
import type { ExpectedRevision } from '../../../../core/store/event-store.ts'
import { openEmbeddedStore } from '../../../../core/store/drivers/embedded/index.ts'
import { anEvent } from '../../../contract/event-store-events.ts'

const STREAMS = 8
const store = await openEmbeddedStore({ path: process.argv[2] ?? '' })
process.stdout.write('opened\n')
await Promise.all(
  Array.from({ length: STREAMS }, async () => {
    const stream = `session-${randomUUID()}`
    for (let expected: ExpectedRevision = 'no_stream'; ; ) {
      const events = [anEvent('first', 400), anEvent('second', 400)]
      const { revision, position } = await store.append(stream, events, expected)
      process.stdout.write(`${stream} ${revision} ${position} ${events[0]?.id} ${events[1]?.id}\n`)
      expected = revision
    }
  }),
)
