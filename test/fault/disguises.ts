/** Whether bytes hold a secret, as it is or in a disguise that anybody could undo. */
import { int16, int32 } from './raw-client.ts'

const reversed = (text: string): string => Array.from(text).reverse().join('')

/** Base64 of a text that begins at any of the three places within a group. */
function base64(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.from('\0'.repeat(before) + text).toString('base64')
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + text.length) * 8) / 6))
  })
}

/** What to look for, all in lower case but base64 and binary. */
function disguises(secret: string): { readonly folded: string[]; readonly exact: string[] } {
  const bytes = Buffer.from(secret)
  const characters = Array.from(secret)
  const codes = characters.map((character) => String(character.codePointAt(0)))
  const folded = [secret.toLowerCase(), reversed(secret).toLowerCase(), bytes.toString('hex'), ...[',', ' '].map((by) => characters.join(by).toLowerCase()), ...['', ',', ' '].map((by) => codes.join(by))]
  return { folded, exact: [...base64(secret), ...binary(secret).map((form) => form.toString('latin1'))] }
}

/** A date and a number of 16 digits in PostgreSQL's binary formats, dates with the length in front: four bytes alone are met by chance. */
function binary(secret: string): Buffer[] {
  if (/^\d{16}$/.test(secret)) return [int64(BigInt(secret)), Buffer.concat((secret.match(/\d{4}/g) ?? []).map((group) => int16(Number(group))))]
  if (!/^\d{4}-\d\d-\d\d$/.test(secret)) return []
  return [Buffer.concat([int32(4), int32((Date.parse(secret) - Date.UTC(2000, 0)) / 86_400_000)])]
}

function int64(value: bigint): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigInt64BE(value)
  return bytes
}

const KNOWN = new Map<string, ReturnType<typeof disguises>>()

/** The first secret that the bytes hold, and how; `undefined` when they hold none. */
export function secretIn(bytes: Buffer, secrets: readonly string[]): string | undefined {
  const exact = bytes.toString('latin1')
  const folded = exact.toLowerCase()
  for (const secret of secrets) {
    let known = KNOWN.get(secret)
    if (known === undefined) KNOWN.set(secret, (known = disguises(secret)))
    const found = known.folded.find((form) => folded.includes(form)) ?? known.exact.find((form) => exact.includes(form))
    if (found !== undefined) return found === secret ? secret : `${secret} (as ${JSON.stringify(found)})`
  }
  return undefined
}
