import { callingCodeOf } from './calling-codes.ts'
import { isDigit } from './characters.ts'
import { ANY_IDENTIFIER, type Context, contextOf, vocabulary, weigh } from './context.ts'
import type { Finding } from './finding.ts'
import { DOT, HYPHEN, isCleanAfter, type NumberRun, PARENTHESIS, SLASH, SPACE } from './number-run.ts'

const WORDS = vocabulary(
  'phone phones phonenumber telephone telephones tel tél téléphone telefon telefone telefono teléfono telefonnummer telephonenumber mobile mobil móvil movil mobiltelefon handy cell cellphone celular cellulare portable call calls called calling dial fax whatsapp signal telegram sms text texted msisdn hotline helpdesk ph mob gsm landline voicemail ring rang reach contact kontakt rufnummer',
  `${ANY_IDENTIFIER} account acct konto price amount total qty quantity units cost usd eur gbp size bytes port pixels iban bic vat ein tax zip postcode lat lon lng coordinates population distance model isbn10 isbn13 date dates`,
)

/** A way to write a number: how many groups it takes, and how sure it is with and without words that speak for it. */
interface Reading { readonly groups: number; readonly alone: number; readonly named: number }
type Format = (run: NumberRun) => Reading | undefined

/**
 * A telephone number at the beginning of a run: E.164 with `+` or `00`, North American, with a trunk 0, or whatever is
 * called a telephone number by the words before it. Not: dates (the caller sees to those), identifiers, amounts.
 */
export function findPhoneNumber(run: NumberRun, hint: string): Finding | undefined {
  if (run.digits < 7 || !run.startsClean()) return undefined
  let best: Finding | undefined
  let context: Context | undefined
  for (const format of FORMATS) {
    const reading = format(run)
    if (reading === undefined || !isCleanAfter(run.text, run.end(reading.groups - 1))) continue
    context ??= contextOf(run.text, run.start, hint, WORDS)
    const confidence = weigh(context === 1 ? reading.named : reading.alone, context, 0, 0.4)
    if (best === undefined || confidence > best.confidence) best = { entity: 'phone', start: run.start, end: run.end(reading.groups - 1), confidence }
  }
  return best
}

function international(run: NumberRun): Reading | undefined {
  if (run.prefix !== 43) return undefined
  const groups = groupsOfE164(run, 0)
  return groups === 0 ? undefined : { groups, alone: 0.9, named: 0.98 }
}

/** `0044 20 …`, or `00 44 20 …`. */
function withAccessCode(run: NumberRun): Reading | undefined {
  if (run.prefix === 43 || !digitsOf(run, 1).startsWith('00')) return undefined
  const groups = groupsOfE164(run, 2)
  return groups === 0 ? undefined : { groups, alone: groups > 1 ? 0.65 : 0.3, named: 0.9 }
}

/** The most groups whose digits, without the first `skipped`, are a whole number of its country; 0 for none. */
function groupsOfE164(run: NumberRun, skipped: number): number {
  let best = 0
  for (let groups = 1, digits = ''; groups <= run.count && digits.length <= 17; groups++) {
    digits += run.text.slice(run.starts[groups - 1], run.ends[groups - 1])
    const written = digits.slice(skipped)
    const plan = callingCodeOf(written)
    if (plan === undefined) continue
    const national = written.length - plan.code.length - (hasTrunkZero(run, groups) ? 1 : 0)
    const fits = plan.code !== '1' || /^1[2-9]\d\d[2-9]/.test(written)
    if (fits && national >= plan.least && national <= plan.most) best = groups
  }
  return best
}

/** `+44 (0)20 …`. */
function hasTrunkZero(run: NumberRun, groups: number): boolean {
  for (let group = 1; group < groups; group++) {
    if (run.separator(group) === PARENTHESIS && run.length(group) === 1 && run.value(group) === 0) return true
  }
  return false
}

/** Source: NANPA; neither area nor exchange begins with 0 or 1 or ends in 11. */
const NORTH_AMERICAN = /^1?[2-9](?!11)\d\d[2-9](?!11)\d{6}$/

function northAmerican(run: NumberRun): Reading | undefined {
  if (run.prefix === 43) return undefined
  const first = run.length(0) === 1 && run.value(0) === 1 ? 1 : 0
  const groups = groupsOfNorthAmerican(run, first)
  if (groups === 0 || !NORTH_AMERICAN.test(digitsOf(run, groups))) return undefined
  if (groups === 1) return { groups, alone: 0.25, named: 0.85 }
  const separator = run.separator(first + 1)
  const alone = separator === PARENTHESIS ? 0.85 : separator === HYPHEN ? 0.75 : separator === DOT ? 0.7 : 0.6
  return { groups, alone, named: 0.97 }
}

function groupsOfNorthAmerican(run: NumberRun, first: number): number {
  if (run.length(0) === 10 || run.length(0) === 11) return 1
  if (run.length(first) !== 3) return 0
  const parenthesis = run.separator(first + 1) === PARENTHESIS
  if (run.count > first + 1 && parenthesis && run.length(first + 1) === 7) return first + 2
  if (run.count < first + 3 || run.length(first + 1) !== 3 || run.length(first + 2) !== 4) return 0
  const [one, two] = [run.separator(first + 1), run.separator(first + 2)]
  return (one === two || parenthesis) && one !== SLASH && two !== SLASH ? first + 3 : 0
}

/** National numbers behind a trunk 0: Europe, Japan, Australia and many more. */
function trunkZero(run: NumberRun): Reading | undefined {
  if (run.prefix === 43 || !/^0[1-9]/.test(run.text.slice(run.starts[0], run.ends[0]))) return undefined
  if (run.length(0) >= 9) return run.length(0) <= 12 ? { groups: 1, alone: MOBILE.test(digitsOf(run, 1)) ? 0.5 : 0.3, named: 0.85 } : undefined
  const groups = groupsBehindZero(run)
  if (groups === 0) return undefined
  return { groups, alone: isAmongNumbers(run, groups) ? 0.3 : BEHIND_ZERO.get(run.separator(1)) ?? 0.7, named: 0.93 }
}

/** British and French mobile numbers; identifiers padded with zeros mostly have more of them. */
const MOBILE = /^0(?:7\d{9}|[67]\d{8})$/
const BEHIND_ZERO: ReadonlyMap<number, number> = new Map([[HYPHEN, 0.55], [DOT, 0.65]])

/** One of many in a row, one of the dashed numbers that are too short or in too many pieces, or grouped like a US SSN. */
function isAmongNumbers(run: NumberRun, groups: number): boolean {
  const { text, start } = run
  const digits = digitsOf(run, groups).length
  if (run.separator(1) === HYPHEN && (digits < 10 || groups > 3)) return true
  if (groups === 3 && digits === 9 && run.length(0) === 3 && run.length(1) === 2) return true
  if (text.charCodeAt(start - 1) === SPACE && isDigit(text.charCodeAt(start - 2))) return true
  return groups < run.count && run.separator(groups) === run.separator(1) && run.length(groups) > 2
}

function groupsBehindZero(run: NumberRun): number {
  const separator = run.separator(1)
  let digits = run.length(0)
  let groups = 1
  while (groups < run.count && run.length(groups) >= 2 && run.length(groups) <= 8 && digits + run.length(groups) <= 12 && keepsTo(run, groups)) digits += run.length(groups++)
  if (separator === DOT && !(groups === 5 && run.length(0) === 2)) return 0
  return groups > 1 && digits >= 9 && run.length(0) <= 6 ? groups : 0
}

/** A slash or parenthesis only behind the area; then one kind of separator. */
function keepsTo(run: NumberRun, group: number): boolean {
  const [one, own] = [run.separator(1), run.separator(group)]
  if (group === 1) return true
  if (own === SLASH || own === PARENTHESIS) return false
  return one === own || one === SLASH || one === PARENTHESIS || group > 2 && own === run.separator(2)
}

/** Groupings of countries without a trunk 0, or with one in parentheses. */
function otherNational(run: NumberRun): Reading | undefined {
  if (run.prefix === 43 || run.separator(1) === SLASH) return undefined
  const lengths = Array.from({ length: Math.min(run.count, 5) }, (_, group) => run.length(group)).join('')
  if (run.prefix === PARENTHESIS && /^[2-4][3-5]4/.test(lengths) && run.separator(1) === PARENTHESIS && run.separator(2) !== SLASH) return { groups: 3, alone: 0.75, named: 0.95 }
  if (lengths.startsWith('344') && /^1[3-9]/.test(digitsOf(run, 1))) return { groups: 3, alone: 0.5, named: 0.93 }
  return undefined
}

/** What the words before it call a telephone number, and has the digits of one. */
function named(run: NumberRun): Reading | undefined {
  if (run.prefix === 43) return undefined
  let groups = 0
  let digits = 0
  while (groups < Math.min(run.count, 5) && run.separator(groups) !== SLASH && digits + run.length(groups) <= 12) digits += run.length(groups++)
  if (digits < 7) return undefined
  for (let group = 0; group < groups; group++) if (groups > 1 && (run.length(group) > 6 || run.length(group) < 2)) return undefined
  const plain = groups === 1 || isEven(run, groups)
  return plain ? { groups, alone: 0.2, named: digits >= 8 || groups > 1 ? 0.7 : 0.5 } : undefined
}

function isEven(run: NumberRun, groups: number): boolean {
  for (let group = 2; group < groups; group++) if (run.separator(group) !== run.separator(1) && run.separator(1) !== PARENTHESIS) return false
  return run.separator(1) === SPACE || run.separator(1) === HYPHEN || run.separator(1) === DOT || run.separator(1) === PARENTHESIS
}

function digitsOf(run: NumberRun, groups: number): string {
  return groups === 1 ? run.text.slice(run.starts[0], run.ends[0]) : run.joined(groups)
}

const FORMATS: readonly Format[] = [international, withAccessCode, northAmerican, trunkZero, otherNational, named]
