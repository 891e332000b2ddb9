/** What the driver guards against in the client library. */
import assert from 'node:assert/strict'
import { PassThrough } from 'node:stream'
import { describe, it } from 'node:test'
import { UnavailableError, type ResolvedEvent } from '@eventstore/db-client'
import { createClient, endClient } from '../../../core/store/drivers/eventstoredb/connection.ts'
import { streamEvents } from '../../../core/store/drivers/eventstoredb/streaming.ts'
import { startEventStoreDbDouble } from '../../support/eventstoredb-double.ts'

describe('the EventStoreDB client library', () => {
  it('may report an error after the reader has left', async () => {
    const events = new PassThrough({ objectMode: true })
    events.write({} satisfies ResolvedEvent)
    let stopped = false
    for await (const _ of streamEvents(() => ({ events, stop: async () => void (stopped = true) }))) break
    assert.ok(stopped)
    assert.doesNotThrow(() => events.emit('error', new Error('too late')))
  })

  it('may fail to connect again where nobody waits for it', async () => {
    const double = await startEventStoreDbDouble()
    double.kill()
    const client = createClient(`${double.discoverString}&maxDiscoverAttempts=1&discoveryInterval=1`)
    const inside = client as unknown as { getChannel(): Promise<unknown>; handleError(failed: unknown, error: Error): Promise<void> }
    const connecting = assert.rejects(inside.getChannel(), /discover/)
    await inside.handleError({ getChannel: () => 'an older channel' }, new UnavailableError())
    await connecting
    await endClient(client)
  })
})
