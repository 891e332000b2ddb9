import { createHmac } from 'node:crypto'

export interface RotatingKeyOptions {
  /** The secret it is derived from. */
  readonly secret: Buffer
  /** Who it is for: another name, another key. */
  readonly name: string
  /** How long one key is used; `undefined`: for good. Periods are counted from 1970, so that all gateways of a cluster agree. */
  readonly rotationMs: number | undefined
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/**
 * The key of the current period. Equal values stay equal within one period only; what was shown in another cannot be joined
 * with it, and who got hold of one key has not the next.
 */
export function rotatingKey({ secret, name, rotationMs, now }: RotatingKeyOptions): () => Buffer {
  const base = createHmac('sha256', secret).update(`masks of ${name}`).digest()
  if (rotationMs === undefined) return () => base
  let period = -1
  let key = base
  return () => {
    const current = Math.floor(now() / rotationMs)
    if (current !== period) key = createHmac('sha256', base).update(`period ${rotationMs} ms ${current}`).digest()
    period = current
    return key
  }
}
