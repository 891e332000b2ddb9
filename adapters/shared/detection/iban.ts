import { ALPHANUMERIC, classOf, DIGIT, isWord, LETTER, UPPER } from './characters.ts'
import { contextOf, vocabulary, weigh } from './context.ts'
import type { Finding } from './finding.ts'
import { IBAN_STRUCTURES } from './iban-structures.ts'

const WORDS = vocabulary('iban ibans bank konto kontonummer account cuenta compte conto rekening bic swift beneficiary sepa')
const GROUPED = 0.97
const ALONE = 0.95
const SMALL = 0.4

/**
 * An IBAN that begins with the two letters at `at`, in one piece or in groups of four. Source: ISO 13616-1 (length and
 * structure by country), ISO 7064 (MOD 97-10).
 */
export function findIban(text: string, at: number, hint: string): Finding | undefined {
  const structure = structureAt(text, at)
  if (structure === undefined || isWord(text.charCodeAt(at - 1))) return undefined
  const compact = collect(text, at, structure.length + 4)
  if (compact === undefined) return undefined
  const { characters, end, grouped } = compact
  if (!follows(characters, structure) || !checks(characters) || isWord(text.charCodeAt(end))) return undefined
  const small = (classOf(text.charCodeAt(at)) & UPPER) === 0
  const confidence = weigh(small ? SMALL : grouped ? GROUPED : ALONE, contextOf(text, at, hint, WORDS), 0.4, small ? 0.3 : 0.2)
  return { entity: 'iban', start: at, end, confidence }
}

/** Cheap enough to be asked at each word: two letters of a country, and two digits. */
function structureAt(text: string, at: number): string | undefined {
  if ((classOf(text.charCodeAt(at + 2)) & DIGIT) === 0 || (classOf(text.charCodeAt(at + 3)) & DIGIT) === 0) return undefined
  if ((classOf(text.charCodeAt(at + 1)) & LETTER) === 0) return undefined
  return IBAN_STRUCTURES.get(text.slice(at, at + 2).toUpperCase())
}

interface Compact { readonly characters: string; readonly end: number; readonly grouped: boolean }

/** So many letters and digits, either glued together or in groups of four. */
function collect(text: string, at: number, length: number): Compact | undefined {
  const grouped = isSeparator(text.charCodeAt(at + 4))
  let characters = ''
  let end = at
  while (characters.length < length) {
    if (grouped && characters.length > 0 && characters.length % 4 === 0) {
      if (text.charCodeAt(end) !== text.charCodeAt(at + 4)) return undefined
      end++
    }
    if ((classOf(text.charCodeAt(end)) & ALPHANUMERIC) === 0) return undefined
    characters += text[end++]
  }
  return { characters: characters.toUpperCase(), end, grouped }
}

function isSeparator(code: number): boolean {
  return code === 32 || code === 45 || code === 0xa0 || code === 0x202f
}

function follows(characters: string, structure: string): boolean {
  for (let at = 0; at < structure.length; at++) {
    const kind = classOf(characters.charCodeAt(at + 4))
    const wanted = structure[at]
    if (wanted === 'n' && (kind & DIGIT) === 0 || wanted === 'a' && (kind & LETTER) === 0) return false
  }
  return true
}

/** The first four characters moved to the end, letters as 10 to 35: the number leaves 1 when divided by 97. */
function checks(characters: string): boolean {
  let rest = 0
  for (let at = 0; at < characters.length; at++) {
    const code = characters.charCodeAt((at + 4) % characters.length)
    rest = code >= 65 ? (rest * 100 + code - 55) % 97 : (rest * 10 + code - 48) % 97
  }
  const check = Number(characters.slice(2, 4))
  return rest === 1 && check >= 2 && check <= 98
}
