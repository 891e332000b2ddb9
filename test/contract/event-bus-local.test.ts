import { createLocalBus } from '../../core/bus/drivers/local/index.ts'
import { eventBusContract } from './event-bus.ts'

eventBusContract({
  name: 'the local bus',
  maxPayloadBytes: 1024 * 1024,
  open: async (onError) => {
    const bus = createLocalBus({ onError })
    return { near: bus, far: bus, close: () => bus.close() }
  },
})
