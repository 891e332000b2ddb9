import { describe, it } from 'node:test'
import { openEventStoreDb } from '../../core/store/drivers/eventstoredb/index.ts'
import { startEventStoreDbDouble } from '../support/eventstoredb-double.ts'
import { eventStoreContract } from './event-store.ts'

const double = await startEventStoreDbDouble()
const openDouble = (): ReturnType<typeof openEventStoreDb> => openEventStoreDb({ connectionString: double.connectionString })
eventStoreContract('EventStoreDB driver against a double (says nothing about a real server)', {
  open: openDouble,
  reopen: openDouble,
  cleanUp: () => double.kill(),
})

const connectionString = process.env['SALLYPORT_TEST_EVENTSTOREDB']
if (connectionString === undefined) {
  describe('event store contract: EventStoreDB', () => {
    it('passes against a real server', { skip: 'set SALLYPORT_TEST_EVENTSTOREDB=esdb://… to a server that may be written to' }, () => {})
  })
} else {
  const open = (): ReturnType<typeof openEventStoreDb> => openEventStoreDb({ connectionString, streamPrefix: 'sallyporttest-' })
  eventStoreContract('EventStoreDB', { open, reopen: open })
}
