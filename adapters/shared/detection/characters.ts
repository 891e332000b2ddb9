/** Character classes of ASCII, as bits, for texts (UTF-16 units) and bytes alike. What is not ASCII has no class. */
export const DIGIT = 1
export const UPPER = 2
export const LOWER = 4
export const UNDERSCORE = 8
export const HEX = 16
/** Of base64url beyond letters, digits and `_`. */
export const DASH = 32
/** Of base64 beyond letters and digits: `+` and `/`. */
export const BASE64 = 64

export const LETTER = UPPER | LOWER
export const ALPHANUMERIC = DIGIT | LETTER
/** What a word (an identifier) is made of. */
export const WORD = ALPHANUMERIC | UNDERSCORE

const CLASSES = new Uint8Array(128)
for (let code = 0; code < 128; code++) {
  const character = String.fromCharCode(code)
  if (/[0-9]/.test(character)) CLASSES[code] = DIGIT
  else if (/[A-Z]/.test(character)) CLASSES[code] = UPPER
  else if (/[a-z]/.test(character)) CLASSES[code] = LOWER
  if (/[0-9A-Fa-f]/.test(character)) CLASSES[code] = (CLASSES[code] ?? 0) | HEX
}
CLASSES['_'.charCodeAt(0)] = UNDERSCORE
CLASSES['-'.charCodeAt(0)] = DASH
CLASSES['+'.charCodeAt(0)] = BASE64
CLASSES['/'.charCodeAt(0)] = BASE64

/** The class bits of a character code; 0 for NaN, as `charCodeAt` gives beyond the ends. */
export function classOf(code: number): number {
  return code < 128 ? (CLASSES[code] as number) : 0
}

export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57
}

/** Letters, digits and `_`; all letters that are not ASCII are taken for word characters too. */
export function isWord(code: number): boolean {
  return code < 128 ? ((CLASSES[code] as number) & WORD) !== 0 : code >= 0xc0 && !isGeneralPunctuation(code)
}

function isGeneralPunctuation(code: number): boolean {
  return code >= 0x2000 && code <= 0x206f || code >= 0x3000 && code <= 0x303f || code === 0xd7 || code === 0xf7
}

/** The end of the run of characters of these classes that begins at `at`, looking no further than `limit` of them. */
export function endOfRun(text: string, at: number, classes: number, limit: number): number {
  const last = Math.min(text.length, at + limit)
  let end = at
  while (end < last && (classOf(text.charCodeAt(end)) & classes) !== 0) end++
  return end
}
