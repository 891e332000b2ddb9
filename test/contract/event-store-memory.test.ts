import { createMemoryStore } from '../../core/store/drivers/memory/index.ts'
import { eventStoreContract } from './event-store.ts'

eventStoreContract('memory', { open: async () => createMemoryStore() }, {
  'counts what is not durable yet': 'memory is never durable and never waits: pending() is always 0',
})
