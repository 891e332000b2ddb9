import { createHash, randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { SallyportError } from '../core/index.ts'
import type { Config } from './config/index.ts'
import { plainText, type Secrets } from './secrets.ts'

const MIN_KEY_CHARACTERS = 32

/**
 * The gateway's own secret, 32 bytes: what masks hash with, and what makes an unknown user look like a known one.
 * From `gateway.key` in the configuration (the same for all gateways of a cluster), or else from a file that is made
 * beside the projections at the first start. Rejects with `CONFIG_INVALID`.
 */
export async function gatewayKey(config: Config, secrets: Secrets): Promise<Buffer> {
  const written = config.gateway.key === undefined ? await keptKey(join(dirname(config.projections.path), 'gateway.key')) : await plainText(secrets, config.gateway.key)
  if (written.trim().length < MIN_KEY_CHARACTERS) throw new SallyportError('CONFIG_INVALID', `gateway.key: a key needs at least ${MIN_KEY_CHARACTERS} characters; write what \`openssl rand -hex 32\` prints`)
  return createHash('sha256').update(written.trim()).digest()
}

async function keptKey(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw unreadable(path, error)
  }
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    await writeFile(path, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' })
    return await readFile(path, 'utf8')
  } catch (error) {
    throw unreadable(path, error)
  }
}

function unreadable(path: string, cause: unknown): SallyportError {
  return new SallyportError('CONFIG_INVALID', `the gateway's key ${path} cannot be read or made: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
}
