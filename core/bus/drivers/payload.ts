import { SallyportError } from '../../errors.ts'

/** What a NATS server takes by default. The local bus keeps to it too, so that no message works in one process only. */
export const DEFAULT_MAX_PAYLOAD_BYTES = 1024 * 1024

/** JSON text of a message, at most `maxBytes` long in UTF-8. Throws `BUS_REFUSED`. */
export function encodePayload(subject: string, data: unknown, maxBytes: number): string {
  const text = stringify(subject, data)
  const bytes = Buffer.byteLength(text)
  if (bytes <= maxBytes) return text
  throw new SallyportError('BUS_REFUSED', `message for "${subject}" has ${bytes} bytes; the bus takes at most ${maxBytes}`)
}

/** Throws `BUS_REFUSED` for bytes that are not JSON. */
export function decodePayload(subject: string, text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (cause) {
    throw new SallyportError('BUS_REFUSED', `message on "${subject}" is not JSON`, { cause })
  }
}

function stringify(subject: string, data: unknown): string {
  let text: string | undefined
  try {
    text = JSON.stringify(data)
  } catch (cause) {
    throw new SallyportError('BUS_REFUSED', `message for "${subject}" cannot be written as JSON`, { cause })
  }
  if (text === undefined) throw new SallyportError('BUS_REFUSED', `message for "${subject}" has no JSON form`)
  return text
}
