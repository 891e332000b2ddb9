import { contextOf, vocabulary, weigh } from './context.ts'
import type { Finding } from './finding.ts'
import { DOT, HYPHEN, isCleanAfter, isCleanBefore, type NumberRun, SPACE } from './number-run.ts'

/** Issuer prefixes, `[first, last, lengths]`, prefixes of up to six digits. Source: ISO/IEC 7812 and the networks' published ranges. */
const ISSUERS: readonly (readonly [first: string, last: string, lengths: readonly number[]])[] = [
  ['4', '4', [13, 16, 19]],
  ['51', '55', [16]], ['2221', '2720', [16]],
  ['34', '34', [15]], ['37', '37', [15]],
  ['6011', '6011', [16, 17, 18, 19]], ['644', '649', [16, 17, 18, 19]], ['65', '65', [16, 17, 18, 19]],
  ['300', '305', [14]], ['3095', '3095', [14]], ['36', '36', [14]], ['38', '39', [14]],
  ['3528', '3589', [16, 17, 18, 19]],
  ['62', '62', [16, 17, 18, 19]], ['8100', '8171', [16, 17, 18, 19]],
  ['2200', '2204', [16, 17, 18, 19]],
  ['5018', '5018', [12, 13, 14, 15, 16, 17, 18, 19]], ['5020', '5020', [12, 13, 14, 15, 16, 17, 18, 19]],
  ['5038', '5038', [12, 13, 14, 15, 16, 17, 18, 19]], ['5893', '5893', [12, 13, 14, 15, 16, 17, 18, 19]],
  ['6304', '6304', [12, 13, 14, 15, 16, 17, 18, 19]], ['6759', '6763', [12, 13, 14, 15, 16, 17, 18, 19]],
  ['5019', '5019', [16]], ['5060', '5067', [16, 18, 19]], ['5078', '5079', [16, 18, 19]], ['5085', '5089', [16]], ['509', '509', [16]],
  ['606985', '607984', [16]], ['608001', '608500', [16]], ['8172', '8201', [16]],
  ['627780', '627780', [16]], ['636297', '636297', [16]], ['636368', '636368', [16]], ['9792', '9792', [16]],
]

const WORDS = vocabulary('card cards cc ccnum creditcard credit debit visa mastercard amex maestro discover diners jcb unionpay pan karte kartennummer kreditkarte tarjeta carte carta cartao cartão kort kaart pay paid payment charge charged')
/** How far from the middle a number is that nothing but its digits speaks for. */
const ALONE = 0.75
const GROUPED = 0.9
/** Thirteen digits are seldom a card now, and often an article number (EAN-13) or a time; twelve are often anything. */
const SHORT = 0.3

/** Luhn, ISO/IEC 7812-1 annex B. Digits only. */
export function passesLuhn(digits: string): boolean {
  let sum = 0
  for (let at = digits.length - 1, double = false; at >= 0; at--, double = !double) {
    const digit = digits.charCodeAt(at) - 48
    sum += double ? (digit > 4 ? digit * 2 - 9 : digit * 2) : digit
  }
  return sum % 10 === 0
}

/** A card number at the beginning of a run, in one piece or in the groups that cards print. */
export function findCardNumber(run: NumberRun, hint: string): Finding | undefined {
  if (run.prefix === 43) return undefined
  const groups = groupsOfCard(run)
  if (groups === 0) return undefined
  const digits = run.joined(groups)
  if (!isIssued(digits) || !passesLuhn(digits) || isMonotonous(digits)) return undefined
  const start = run.starts[0] as number
  const end = run.end(groups - 1)
  if (isWithinMore(run, groups, start, end)) return undefined
  const context = contextOf(run.text, start, hint, WORDS)
  const named = run.text.charCodeAt(start - 1) === HYPHEN && !isCleanBefore(run.text, start)
  return { entity: 'card-number', start, end, confidence: weigh(base(digits, groups) - (named ? 0.2 : 0), context, 0.35, 0.5) }
}

function base(digits: string, groups: number): number {
  if (groups > 1) return GROUPED
  return digits.length <= 13 ? SHORT : ALONE
}

/** How many groups make up one card number: 0 for none. */
function groupsOfCard(run: NumberRun): number {
  if (run.length(0) >= 12) return 1
  const separator = run.separator(1)
  if (separator !== SPACE && separator !== HYPHEN && separator !== DOT) return 0
  let best = 0
  for (const layout of LAYOUTS) {
    if (layout.length > best && fits(run, layout, separator)) best = layout.length
  }
  if (best === 5 && !passesLuhn(run.joined(5))) return 4
  return best
}

const LAYOUTS: readonly (readonly number[])[] = [
  [4, 4, 4, 4], [4, 6, 5], [4, 6, 4], [4, 4, 4, 4, 3], [4, 4, 4, 4, 1], [4, 4, 4, 4, 2], [6, 13], [4, 4, 5], [8, 8], [4, 4, 4, 3], [4, 12],
]

function fits(run: NumberRun, layout: readonly number[], separator: number): boolean {
  if (run.count < layout.length) return false
  for (let group = 0; group < layout.length; group++) {
    if (run.length(group) !== layout[group]) return false
    if (group > 0 && run.separator(group) !== separator) return false
  }
  return true
}

/** Part of a longer run of digits, of a decimal, or of a dashed name. */
function isWithinMore(run: NumberRun, groups: number, start: number, end: number): boolean {
  const { text } = run
  if (!isCleanAfter(text, end)) return true
  if (!isCleanBefore(text, start) && (text.charCodeAt(start - 1) !== HYPHEN || isDigitAt(text, start - 2))) return true
  if (groups === 1) return false
  const four = (group: number): boolean => group < run.count && run.length(group) === run.length(0) && run.separator(group) === run.separator(1)
  return four(groups) || endsFourDigits(text, start - 1)
}

function isDigitAt(text: string, at: number): boolean {
  const code = text.charCodeAt(at)
  return code >= 48 && code <= 57
}

function endsFourDigits(text: string, at: number): boolean {
  if (text.charCodeAt(at) !== SPACE) return false
  return isDigitAt(text, at - 1) && isDigitAt(text, at - 2) && isDigitAt(text, at - 3) && isDigitAt(text, at - 4) && !isDigitAt(text, at - 5)
}

function isIssued(digits: string): boolean {
  return ISSUERS.some(([first, last, lengths]) => {
    const prefix = digits.slice(0, first.length)
    return prefix >= first && prefix <= last && lengths.includes(digits.length)
  })
}

/** Filled in, not issued: behind its first digit hardly anything but one digit. */
function isMonotonous(digits: string): boolean {
  return new Set(digits).size < 2
}
