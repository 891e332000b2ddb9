import { DASH, endOfRun, WORD } from './characters.ts'
import type { Finding } from './finding.ts'

const MAX_HEADER_CHARS = 4096
/** `{"alg":""}` */
const MIN_HEADER_CHARS = 14
/** A longer segment is found as far as this, and the rest as what follows. */
const MAX_SEGMENT_CHARS = 65_536
const DOT = 46
/** Before it, `eyJ` is inside a longer token; taking each of many for a beginning would read all of it each time. */
const HYPHEN = 45

/** A compact JWS or JWE whose header decodes, at `eyJ`. Source: RFC 7515 and RFC 7516, section 3.1; RFC 7519. */
export function findJsonWebToken(text: string, at: number): Finding | undefined {
  if (text.charCodeAt(at - 1) === HYPHEN) return undefined
  const header = endOfRun(text, at, WORD | DASH, MAX_HEADER_CHARS)
  if (text.charCodeAt(header) !== DOT || !isHeader(text.slice(at, header))) return undefined
  let segments = 1
  let end = header
  while (segments < 5 && text.charCodeAt(end) === DOT) {
    const next = endOfRun(text, end + 1, WORD | DASH, MAX_SEGMENT_CHARS)
    if (next === end + 1 && (segments === 1 || segments > 2 && text.charCodeAt(next) !== DOT)) break
    end = next
    segments++
  }
  return segments === 1 ? undefined : { entity: 'jwt', start: at, end, confidence: segments === 2 ? 0.7 : 0.99 }
}

/** What cannot be an object is not parsed: a text may hold a hundred thousand, and each exception takes its time. */
function isHeader(encoded: string): boolean {
  if (encoded.length < MIN_HEADER_CHARS) return false
  const decoded = Buffer.from(encoded, 'base64url').toString('utf8')
  if (!decoded.endsWith('}')) return false
  try {
    const header: unknown = JSON.parse(decoded)
    return typeof header === 'object' && header !== null && 'alg' in header && typeof header.alg === 'string'
  } catch {
    return false
  }
}
