import { fitsType, type TypeKind } from './data-class.ts'
import { ABOUT, CARDS, PERSONS, PHRASES, THINGS } from './name-dictionary.ts'

export interface NameEvidence {
  readonly class: string
  /** 0 to 1. */
  readonly confidence: number
}

const words = (list: string): ReadonlySet<string> => new Set(list.split(' '))
const ABOUT_IT = words(ABOUT)
const OF_THINGS = words(THINGS)
const OF_PERSONS = words(PERSONS)
const OF_CARDS = words(CARDS)
/** Classes whose columns are often named after something else that has a name or an address, too. */
const AMBIGUOUS = new Set(['pii.name', 'pii.address', 'pii.username'])

interface Phrase { readonly class: string; readonly confidence: number; readonly spaced: string; readonly joined: string }

const ALL: readonly Phrase[] = Object.entries(PHRASES).flatMap(([dataClass, lists]) => lists.flatMap(([confidence, phrases]) =>
  phrases.split(', ').map((phrase) => ({ class: dataClass, confidence, spaced: ` ${phrase} `, joined: ` ${phrase.replaceAll(' ', '')} ` }))))

/**
 * What the names of a column and its table say, where the type allows it. The phrase nearest to the end decides
 * (`author_email` is an e-mail address), of those the longest.
 */
export function nameEvidence(table: string, column: string, kind: TypeKind): NameEvidence | undefined {
  const tokens = tokensOf(column)
  const written = ` ${tokens.join(' ')} `
  let best: Phrase | undefined
  let bestEnd = -1
  for (const phrase of ALL) {
    const end = fitsType(phrase.class, kind) ? endOf(phrase, written) : -1
    if (end < 0 || end < bestEnd || end === bestEnd && best !== undefined && !isMoreSpecific(phrase, best)) continue
    best = phrase
    bestEnd = end
  }
  if (best === undefined) return byTable(tokensOf(table), tokens, kind)
  const confidence = doubted(best, tokens)
  return confidence < 0.1 ? undefined : { class: best.class, confidence }
}

function endOf({ spaced, joined }: Phrase, written: string): number {
  const [one, other] = [written.lastIndexOf(spaced), written.lastIndexOf(joined)]
  return Math.max(one < 0 ? -1 : one + spaced.length, other < 0 ? -1 : other + joined.length)
}

function isMoreSpecific(a: Phrase, b: Phrase): boolean {
  if (a.spaced.length !== b.spaced.length) return a.spaced.length > b.spaced.length
  return a.confidence > b.confidence
}

function doubted(phrase: Phrase, tokens: readonly string[]): number {
  const rest = tokens.filter((token) => !phrase.spaced.includes(` ${token} `) && !phrase.joined.includes(` ${token} `))
  if (rest.some((token) => ABOUT_IT.has(token))) return phrase.confidence * 0.25
  if (AMBIGUOUS.has(phrase.class) && rest.some((token) => OF_THINGS.has(token))) return phrase.confidence * 0.2
  return phrase.confidence
}

/** `name` of people, `number` of cards. */
function byTable(table: readonly string[], column: readonly string[], kind: TypeKind): NameEvidence | undefined {
  const last = column.at(-1) ?? ''
  if (kind === 'text' && column.length === 1 && (last === 'name' || last === 'names' || last === 'nom') && table.some((token) => OF_PERSONS.has(token))) return { class: 'pii.name', confidence: 0.75 }
  if (!table.some((token) => OF_CARDS.has(token))) return undefined
  if (fitsType('pii.card-number', kind) && /^(number|no|nr|num|digits|nummer|numero)$/.test(last)) return { class: 'pii.card-number', confidence: 0.75 }
  return fitsType('pii.card-expiry', kind) && /^(expires|expiry|expiration|exp)$/.test(last) ? { class: 'pii.card-expiry', confidence: 0.65 } : undefined
}

/** `customerEMail2` → customer, email, 2; accents are left away. */
export function tokensOf(name: string): string[] {
  const plain = name.replaceAll('ß', 'ss').normalize('NFD').replaceAll(/\p{Mark}/gu, '').replaceAll(/e-?mail/gi, (mail) => ` ${mail.replace('-', '').toLowerCase()} `)
  const split = plain.replaceAll(/([a-z])([A-Z])/g, '$1 $2').replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2').replaceAll(/([A-Za-z])(\d)/g, '$1 $2')
  return split.toLowerCase().split(/[^\p{Letter}\p{Number}]+/u).filter((token) => token !== '')
}
