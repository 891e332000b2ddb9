import { connectNats } from '../../core/bus/drivers/nats/index.ts'
import { natsUnavailable, startNats } from '../support/nats-server.ts'
import { eventBusContract } from './event-bus.ts'

const MAX_PAYLOAD_BYTES = 64 * 1024

eventBusContract({
  name: 'the NATS bus',
  skip: natsUnavailable(),
  maxPayloadBytes: MAX_PAYLOAD_BYTES,
  open: async (onError) => {
    const server = await startNats(`max_payload: ${MAX_PAYLOAD_BYTES}`)
    const [near, far] = await Promise.all([connectNats({ servers: [server.address], onError }), connectNats({ servers: [server.address], onError })])
    return {
      near,
      far,
      close: async () => {
        await Promise.all([near.close(), far.close()])
        await server.stop()
      },
    }
  },
})
