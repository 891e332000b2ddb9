import { SallyportError } from '../../../core/index.ts'
import { findCardNumber } from './card-number.ts'
import { isDigit, isWord } from './characters.ts'
import { findAzureSecret, findCloudKey, findLabelledSecret, findSecretBehindId, findSecretOf, KEY_BEGINNINGS, lengthOfLabelled } from './cloud-key.ts'
import { isDate } from './date.ts'
import { findEmail } from './email-address.ts'
import { ENTITIES, type Entity, type Finding, isEntity } from './finding.ts'
import { findIban } from './iban.ts'
import { findIpv4 } from './ipv4-address.ts'
import { findIpv6 } from './ipv6-address.ts'
import { findJsonWebToken } from './json-web-token.ts'
import { DOT, NumberRun } from './number-run.ts'
import { compilePattern, MAX_PATTERNS, type OwnPattern, type Searcher } from './own-pattern.ts'
import { findPhoneNumber } from './phone-number.ts'
import { createPrefilter } from './prefilter.ts'
import { findBareKey, findPrivateKey } from './private-key.ts'
import { resolveOverlaps } from './resolve-overlaps.ts'
import { findUsSsn } from './us-ssn.ts'

export interface DetectorOptions {
  /** Default: all. */
  readonly entities?: readonly Entity[]
  readonly patterns?: readonly OwnPattern[]
  /** Findings less sure than this are left out. Default 0.5. */
  readonly minConfidence?: number
}

export interface Detector {
  /**
   * What a text seems to hold, in order of place and without overlaps. Takes time linear in the text, whoever wrote it.
   * `hint` is what the value is called where it comes from (a column, a field): it counts like a word before the value.
   */
  find(text: string, hint?: string): Finding[]
  /**
   * Whether `find` could find anything in these bytes, whatever its hint: false is certain, true a guess. For UTF-8 and
   * other supersets of ASCII.
   */
  mayContain(bytes: Uint8Array, start?: number, end?: number): boolean
}

const DEFAULT_CONFIDENCE = 0.5
const NOTHING: readonly never[] = []

/** Throws `CONFIG_INVALID` for an unknown entity or a pattern that cannot be used. */
export function createDetector(options: DetectorOptions = {}): Detector {
  const { entities = ENTITIES, patterns = NOTHING, minConfidence = DEFAULT_CONFIDENCE } = options
  const unknown = entities.find((entity) => !isEntity(entity))
  if (unknown !== undefined) throw new SallyportError('CONFIG_INVALID', `there is no entity "${String(unknown)}"; there are ${ENTITIES.join(', ')}`)
  if (patterns.length > MAX_PATTERNS) throw new SallyportError('CONFIG_INVALID', `there are more than ${MAX_PATTERNS} patterns`)
  const searchers = patterns.map(compilePattern)
  const prefilter = createPrefilter(entities)
  const literals = searchers.map(({ literal }) => Buffer.from(literal))
  return {
    find: (text, hint = '') => new Search(text, hint, new Set(entities), minConfidence).run(searchers),
    mayContain: (bytes, start = 0, end = bytes.length) => start < end && (prefilter(bytes, start, end) || literals.some((literal) => occurs(literal, bytes, start, end))),
  }
}

/** A pattern without a literal may match anything. */
function occurs(literal: Buffer, bytes: Uint8Array, start: number, end: number): boolean {
  return literal.length === 0 || Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).includes(literal)
}

/** What the first character of something sets off. */
const TRIGGERS = new Uint8Array(128)
const WORD = 1
const NUMBER = 2
const AT_SIGN = 3
const PERCENT = 4
const COLON = 5
const HYPHEN = 6
const TILDE = 7
for (let code = 0; code < 128; code++) if (isWord(code)) TRIGGERS[code] = isDigit(code) ? NUMBER : WORD
for (const [character, trigger] of [['@', AT_SIGN], ['%', PERCENT], [':', COLON], ['-', HYPHEN], ['~', TILDE]] as const) TRIGGERS[character.charCodeAt(0)] = trigger

/** Pairs of characters that a key may begin with, at `first * 128 + second`. */
const BEGINNINGS = new Uint8Array(128 * 128)
for (const pair of ['ey', 'Pu', 'AG', ...KEY_BEGINNINGS]) BEGINNINGS[pair.charCodeAt(0) * 128 + pair.charCodeAt(1)] = 1

const LEAST_LABEL_CHARS = 9
const MOST_LABEL_CHARS = 24

/** One pass over one text. Every step goes on behind what it has looked at, or looks at no more than a fixed length. */
class Search {
  readonly #text: string
  readonly #hint: string
  readonly #wanted: ReadonlySet<Entity>
  readonly #least: number
  readonly #run = new NumberRun()
  readonly #found: Finding[] = []
  /** No colon before this is part of an IPv6 address. */
  #noAddressBefore = 0

  constructor(text: string, hint: string, wanted: ReadonlySet<Entity>, least: number) {
    this.#text = text
    this.#hint = hint
    this.#wanted = wanted
    this.#least = least
  }

  run(searchers: readonly Searcher[]): Finding[] {
    if (this.#wanted.size > 0) this.#scan()
    this.#hinted()
    for (const searcher of searchers) searcher.find(this.#text, this.#hint, (finding) => this.#add(finding))
    return resolveOverlaps(this.#found)
  }

  #scan(): void {
    const text = this.#text
    for (let at = 0; at < text.length; ) {
      const code = text.charCodeAt(at)
      const trigger = code < 128 ? TRIGGERS[code] : 0
      switch (trigger) {
        case WORD: at = this.#word(at, code); break
        case NUMBER: at = this.#number(at); break
        case AT_SIGN: at = this.#email(at, at + 1); break
        case PERCENT: at = text.charCodeAt(at + 1) === 52 && text.charCodeAt(at + 2) === 48 ? this.#email(at, at + 3) : at + 1; break
        case COLON: at = this.#colon(at); break
        case HYPHEN: at = this.#hyphen(at); break
        case TILDE: at = this.#tilde(at); break
        default: at++
      }
    }
  }

  /** Returns whether it counts. */
  #add(finding: Finding | undefined): finding is Finding {
    if (finding === undefined || finding.confidence < this.#least) return false
    if (isEntity(finding.entity) && !this.#wanted.has(finding.entity)) return false
    this.#found.push(finding)
    return true
  }

  #word(at: number, first: number): number {
    const text = this.#text
    const second = text.charCodeAt(at + 1)
    if (second < 128 && BEGINNINGS[first * 128 + second] === 1) {
      const end = this.#key(at)
      if (end > 0) return end
    }
    if (isDigit(text.charCodeAt(at + 2))) {
      const iban = this.#wanted.has('iban') ? findIban(text, at, this.#hint) : undefined
      if (this.#add(iban)) return iban.end
    }
    let end = at + 1
    while (isWord(text.charCodeAt(end))) end++
    return this.#label(at, end)
  }

  /** The end of the token or key that begins here, or 0. */
  #key(at: number): number {
    const text = this.#text
    const token = text.startsWith('eyJ', at) && !isWord(text.charCodeAt(at - 1)) ? findJsonWebToken(text, at) : undefined
    const found = token ?? findCloudKey(text, at) ?? findBareKey(text, at)
    if (!this.#add(found)) return 0
    if (text.startsWith('A', at) && found.entity === 'cloud-key') this.#add(findSecretBehindId(text, found.end))
    return found.end
  }

  /** A word that may be the name of a secret. */
  #label(at: number, end: number): number {
    if (end - at < LEAST_LABEL_CHARS || end - at > MOST_LABEL_CHARS) return end
    const last = this.#text.charCodeAt(end - 1) | 32
    if (last !== 121 && last !== 116) return end
    const secret = findLabelledSecret(this.#text, at, end)
    return this.#add(secret) ? secret.end : end
  }

  #number(at: number): number {
    const run = this.#run
    run.read(this.#text, at)
    if (run.count === 0) return this.#endOfWord(at)
    const quad = run.count > 3 && run.separator(1) === DOT
    if (run.digits < 7 && !quad) return run.end(run.cut ? 0 : run.count - 1)
    if (isDate(run)) return run.end(2)
    const best = surest(findIpv4(run, this.#hint), findCardNumber(run, this.#hint), findUsSsn(run, this.#hint), findPhoneNumber(run, this.#hint))
    return this.#add(best) ? best.end : run.end(0)
  }

  #endOfWord(at: number): number {
    let end = at + 1
    while (isWord(this.#text.charCodeAt(end))) end++
    return end
  }

  #email(at: number, after: number): number {
    const email = this.#wanted.has('email') ? findEmail(this.#text, at, after, this.#hint) : undefined
    return this.#add(email) ? email.end : after
  }

  #colon(at: number): number {
    if (!this.#wanted.has('ip-address')) return at + 1
    if (at < this.#noAddressBefore) return at + 1
    const { next, finding } = findIpv6(this.#text, at)
    if (this.#add(finding)) return finding.end
    // What is no address may be something else: a card behind the name of a field.
    this.#noAddressBefore = next
    return at + 1
  }

  #hyphen(at: number): number {
    if (!this.#text.startsWith('----', at)) return at + 1
    const { next, finding } = findPrivateKey(this.#text, at)
    return this.#add(finding) ? next : this.#endOfDashes(at)
  }

  #endOfDashes(at: number): number {
    let end = at
    while (this.#text.charCodeAt(end) === 45) end++
    return end
  }

  #tilde(at: number): number {
    const secret = findAzureSecret(this.#text, at)
    return this.#add(secret) ? secret.end : at + 1
  }

  /** A column that is named like a secret has it as its whole value. */
  #hinted(): void {
    const length = this.#hint === '' ? undefined : lengthOfLabelled(this.#hint)
    if (length !== undefined) this.#add(findSecretOf(this.#text, 0, length, 0.85))
  }
}

function surest(...candidates: readonly (Finding | undefined)[]): Finding | undefined {
  let best: Finding | undefined
  for (const candidate of candidates) if (candidate !== undefined && (best === undefined || candidate.confidence > best.confidence)) best = candidate
  return best
}
