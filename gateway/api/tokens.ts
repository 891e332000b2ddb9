import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Identity } from '../../core/index.ts'
import type { Config } from '../config/index.ts'
import { identityOf } from '../identity-of.ts'

/** Who may call the API, and with what. */
export interface ApiCaller {
  readonly identity: Identity
  /** May see sessions and reload rules, beside answering approvals. */
  readonly operator: boolean
}

const TOKEN = /^sallyport_[A-Za-z0-9_-]{43}$/

/** A new token of 256 random bits, and the line that stands for it in the configuration. */
export function mintToken(): { token: string; digest: string } {
  const token = `sallyport_${randomBytes(32).toString('base64url')}`
  return { token, digest: `sha256:${sha256(token).toString('hex')}` }
}

/**
 * Finds the caller that a bearer token belongs to. All tokens are compared, each in constant time, so that how long
 * it takes says nothing about any of them.
 */
export function callers(people: Config['people']): (token: string) => ApiCaller | undefined {
  const known = Object.entries(people).flatMap(([name, person]) => (person.api === undefined ? [] : [{
    digest: Buffer.from(person.api.token.slice('sha256:'.length), 'hex'),
    caller: { identity: { ...identityOf(name, person), method: 'api-token' }, operator: person.api.operator },
  }]))
  return (token) => {
    if (!TOKEN.test(token)) return undefined
    const presented = sha256(token)
    let found: ApiCaller | undefined
    for (const { digest, caller } of known) if (timingSafeEqual(digest, presented)) found = caller
    return found
  }
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
