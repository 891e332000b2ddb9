/** The key schedule of SCRAM-SHA-256. Source: RFC 5802, section 3; RFC 7677. */
import { createHash, createHmac, pbkdf2, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { saslprep } from './saslprep.ts'

export const SCRAM_KEY_BYTES = 32

/** As good as the password for this salt: never logged, never stored. */
export interface ScramKeys {
  readonly clientKey: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** Logins to a target use one password and, until it changes, one salt: its 4,096 rounds need not be repeated each time. */
const MAX_REMEMBERED = 64
const remembered = new Map<string, Promise<ScramKeys>>()
const cacheSecret = randomBytes(32)
const derive = promisify(pbkdf2)

/** `password` unprepared; SASLprep is applied here. Runs off the main thread; results are remembered (RFC 5802, section 5.1). */
export function deriveKeys(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const id = createHmac('sha256', cacheSecret).update(`${iterations}:${salt.toString('base64')}:${password}`).digest('base64')
  const known = remembered.get(id)
  if (known !== undefined) return known
  const fresh = computeKeys(password, salt, iterations)
  const [oldest] = remembered.keys()
  if (remembered.size >= MAX_REMEMBERED && oldest !== undefined) remembered.delete(oldest)
  remembered.set(id, fresh)
  fresh.catch(() => remembered.delete(id))
  return fresh
}

async function computeKeys(password: string, salt: Buffer, iterations: number): Promise<ScramKeys> {
  const salted = await derive(saslprep(password), salt, iterations, SCRAM_KEY_BYTES, 'sha256')
  const clientKey = hmac(salted, 'Client Key')
  return { clientKey, storedKey: sha256(clientKey), serverKey: hmac(salted, 'Server Key') }
}

export function hmac(key: Buffer, message: string | Buffer): Buffer {
  return createHmac('sha256', key).update(message).digest()
}

export function sha256(message: Buffer): Buffer {
  return createHash('sha256').update(message).digest()
}

/** Of two buffers of equal length. */
export function xor(left: Buffer, right: Buffer): Buffer {
  return Buffer.from(left.map((byte, index) => byte ^ (right[index] ?? 0)))
}
