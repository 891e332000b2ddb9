import { classOf, DIGIT, LOWER, UPPER } from './characters.ts'

/** Words that speak for (1) or against (-1) a reading of the value behind them. */
export type Vocabulary = ReadonlyMap<string, 1 | -1>
export type Context = -1 | 0 | 1

/** How far before a value its words may stand, and how many of them are read. */
const WINDOW_CHARS = 48
const MAX_WORDS = 6
const MAX_WORD_CHARS = 24
/** What so many digits are is named by the words before them; those words do not speak against the next value. */
const DIGITS_OF_ANOTHER_VALUE = 4

/** Numbers that are names of things. */
const IDENTIFIERS = 'id ids uuid guid order orders invoice invoices inv ref reference tracking shipment parcel awb ticket tickets case cases serial sn sku isbn issn ean upc gtin asin imei imsi iccid meid lot batch txn transaction transactions trace span request req build revision commit hash checksum version part article artikel bestellung bestellnummer rechnung rechnungsnummer pedido factura commande facture po item items product products job task issue row key index offset seq sequence timestamp ts epoch nonce barcode license licence vin mmsi doi pid tid session'

export function vocabulary(speaksFor: string, against = IDENTIFIERS): Vocabulary {
  const words = new Map<string, 1 | -1>()
  for (const word of against.split(' ')) words.set(word, -1)
  for (const word of speaksFor.split(' ')) words.set(word, 1)
  return words
}

export const ANY_IDENTIFIER = IDENTIFIERS

/**
 * What the words before `start` say: the nearest that is in the vocabulary decides. Without one, the hint (the name of
 * a column or a field) does. Words end where camelCase turns.
 */
export function contextOf(text: string, start: number, hint: string, words: Vocabulary): Context {
  const near = start === 0 ? 0 : search(text, start, words)
  return near === 0 && hint !== '' ? search(hint, hint.length, words) : near
}

function search(text: string, start: number, words: Vocabulary): Context {
  const from = Math.max(0, start - WINDOW_CHARS)
  let digits = 0
  for (let end = start, read = 0; end > from && read < MAX_WORDS; ) {
    const code = text.charCodeAt(end - 1)
    if (!isLetter(code)) {
      if (classOf(code) & DIGIT) digits++
      end--
      continue
    }
    const begin = beginOfWord(text, end, from)
    const says = words.get(text.slice(begin, end).toLowerCase()) ?? 0
    if (says === 1 || says === -1 && digits < DIGITS_OF_ANOTHER_VALUE) return says
    read++
    end = begin
  }
  return 0
}

function isLetter(code: number): boolean {
  return code < 128 ? (classOf(code) & (UPPER | LOWER)) !== 0 : code >= 0xc0 && code < 0x2000
}

function beginOfWord(text: string, end: number, from: number): number {
  let begin = end - 1
  const least = Math.max(from, end - MAX_WORD_CHARS)
  while (begin > least && isLetter(text.charCodeAt(begin - 1)) && !turns(text, begin)) begin--
  return begin
}

/** `orderId`: a word begins at a capital behind a small letter. */
function turns(text: string, at: number): boolean {
  return (classOf(text.charCodeAt(at)) & UPPER) !== 0 && (classOf(text.charCodeAt(at - 1)) & LOWER) !== 0
}

/** A confidence, moved by what the context says. */
export function weigh(confidence: number, context: Context, up: number, down: number): number {
  if (context === 1) return Math.min(0.99, confidence + up)
  return context === -1 ? Math.max(0.05, confidence - down) : confidence
}
