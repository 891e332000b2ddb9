/** Whether bytes hold a secret, as it is or in a disguise that anybody could undo. */

const reversed = (text: string): string => Array.from(text).reverse().join('')

/** Base64 of a text that begins at any of the three places within a group. */
function base64(text: string): string[] {
  return [0, 1, 2].map((before) => {
    const whole = Buffer.from('\0'.repeat(before) + text).toString('base64')
    return whole.slice(Math.ceil((before * 8) / 6), Math.floor(((before + text.length) * 8) / 6))
  })
}

/** What to look for, all in lower case but base64. */
function disguises(secret: string): { readonly folded: string[]; readonly exact: string[] } {
  const bytes = Buffer.from(secret)
  const spaced = Array.from(secret).join(',')
  return { folded: [secret.toLowerCase(), reversed(secret).toLowerCase(), bytes.toString('hex'), spaced.toLowerCase()], exact: base64(secret) }
}

/** The first secret that the bytes hold, and how; `undefined` when they hold none. */
export function secretIn(bytes: Buffer, secrets: readonly string[]): string | undefined {
  const exact = bytes.toString('latin1')
  const folded = exact.toLowerCase()
  for (const secret of secrets) {
    const known = disguises(secret)
    const found = known.folded.find((form) => folded.includes(form)) ?? known.exact.find((form) => exact.includes(form))
    if (found !== undefined) return found === secret ? secret : `${secret} (as ${found})`
  }
  return undefined
}
