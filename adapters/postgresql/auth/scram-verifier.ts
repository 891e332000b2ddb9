import { randomBytes } from 'node:crypto'
import { SallyportError } from '../../../core/index.ts'
import { decodeBase64 } from './base64.ts'
import { deriveKeys, hmac, SCRAM_KEY_BYTES } from './scram-keys.ts'

/** What a server keeps in place of a password. */
export interface ScramVerifier {
  readonly iterations: number
  readonly salt: Buffer
  readonly storedKey: Buffer
  readonly serverKey: Buffer
}

/** PostgreSQL's default, and RFC 7677's minimum. */
export const DEFAULT_ITERATIONS = 4096
export const MAX_ITERATIONS = 1_000_000
/** Salts of PostgreSQL are 16 bytes. */
const DEFAULT_SALT_BYTES = 16
const MAX_SALT_BYTES = 256
const MAX_VERIFIER_LENGTH = 1024
const LAYOUT = /^SCRAM-SHA-256\$([1-9][0-9]{0,6}):([^$:]+)\$([^$:]+):([^$:]+)$/

export interface VerifierOptions {
  readonly iterations?: number
  readonly salt?: Buffer
}

/** A verifier in the format of PostgreSQL's `pg_authid.rolpassword`. */
export async function createVerifier(password: string, options: VerifierOptions = {}): Promise<string> {
  const { iterations = DEFAULT_ITERATIONS, salt = randomBytes(DEFAULT_SALT_BYTES) } = options
  const { storedKey, serverKey } = await deriveKeys(password, salt, iterations)
  return formatVerifier({ iterations, salt, storedKey, serverKey })
}

/** `SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>`, the last three in base64. */
export function formatVerifier({ iterations, salt, storedKey, serverKey }: ScramVerifier): string {
  return `SCRAM-SHA-256$${iterations}:${salt.toString('base64')}$${storedKey.toString('base64')}:${serverKey.toString('base64')}`
}

/** Throws `CONFIG_INVALID`; the message shows nothing of the text. */
export function parseVerifier(text: string): ScramVerifier {
  const parts = text.length > MAX_VERIFIER_LENGTH ? null : LAYOUT.exec(text)
  const [, iterations, salt, storedKey, serverKey] = parts ?? []
  const verifier = {
    iterations: Number(iterations),
    salt: decodeBase64(salt ?? ''),
    storedKey: decodeBase64(storedKey ?? ''),
    serverKey: decodeBase64(serverKey ?? ''),
  }
  if (!isSound(verifier)) {
    throw new SallyportError('CONFIG_INVALID', 'not a SCRAM verifier: expected SCRAM-SHA-256$<iterations>:<salt>$<StoredKey>:<ServerKey>')
  }
  return verifier
}

type Decoded = { iterations: number } & Record<'salt' | 'storedKey' | 'serverKey', Buffer | undefined>

function isSound(verifier: Decoded): verifier is ScramVerifier {
  const { iterations, salt, storedKey, serverKey } = verifier
  if (!(iterations >= 1 && iterations <= MAX_ITERATIONS)) return false
  if (salt === undefined || salt.length === 0 || salt.length > MAX_SALT_BYTES) return false
  return storedKey?.length === SCRAM_KEY_BYTES && serverKey?.length === SCRAM_KEY_BYTES
}

/**
 * What an unknown user is checked against: no password fits it, and its salt is the same each time the name is tried, so
 * that the name cannot be told from one that exists. `secret` belongs to the gateway and outlives restarts.
 */
export function mockVerifier(user: string, secret: Buffer, iterations = DEFAULT_ITERATIONS): ScramVerifier {
  const salt = hmac(secret, `salt:${user}`).subarray(0, DEFAULT_SALT_BYTES)
  return { iterations, salt, storedKey: hmac(secret, `stored:${user}`), serverKey: hmac(secret, `server:${user}`) }
}
