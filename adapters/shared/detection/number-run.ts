import { isDigit, isWord } from './characters.ts'

/** Groups of digits that are looked at together: as many as the longest spelling of a telephone number has. */
export const MAX_GROUPS = 8
/** A longer group is no part of anything that is looked for. */
export const MAX_GROUP_DIGITS = 19

export const SPACE = 32
export const HYPHEN = 45
export const DOT = 46
export const SLASH = 47
/** Anything with a parenthesis: `) `, `(`, `)-`, … */
export const PARENTHESIS = 40
const PLUS = 43
const CLOSE = 41

/**
 * Groups of digits with single separators between them, from one place on: `+44 (0)20 7946 0018` has five. One object is
 * used for all runs of a text, and holds the last one read.
 */
export class NumberRun {
  text = ''
  count = 0
  /** Where it begins with its `+` or `(`. */
  start = 0
  /** What stands before the first digit: `+`, `(` or nothing, as a character code. */
  prefix = 0
  readonly starts: Int32Array = new Int32Array(MAX_GROUPS)
  readonly ends: Int32Array = new Int32Array(MAX_GROUPS)
  /** What stands before each group; dashes and spaces of other widths count as `-` and ` `. */
  readonly separators: Uint8Array = new Uint8Array(MAX_GROUPS)
  /** Digits in all groups. */
  digits = 0
  /** Whether there were more groups than fit. */
  cut = false

  /** Reads the run whose first digit is at `at`; `count` is 0 when it is part of a word. */
  read(text: string, at: number): void {
    this.text = text
    this.count = this.digits = 0
    this.cut = false
    this.prefix = prefixBefore(text, at)
    this.start = at - prefixLength(text, at, this.prefix)
    let begin = at
    let separator = 0
    for (;;) {
      const end = endOfDigits(text, begin)
      if (end - begin > MAX_GROUP_DIGITS || isWord(text.charCodeAt(end)) || isTimeOfDay(text, end, separator)) return
      if (this.count === MAX_GROUPS) return void (this.cut = true)
      this.#add(begin, end, separator)
      const length = separatorLength(text, end)
      if (length === 0) return
      separator = separatorOf(text, end, length)
      begin = end + length
    }
  }

  #add(begin: number, end: number, separator: number): void {
    this.starts[this.count] = begin
    this.ends[this.count] = end
    this.separators[this.count] = separator
    this.count++
    this.digits += end - begin
  }

  length(group: number): number {
    return (this.ends[group] as number) - (this.starts[group] as number)
  }

  /** One past the last character of a group. */
  end(group: number): number {
    return this.ends[group] as number
  }

  separator(group: number): number {
    return group < this.count ? (this.separators[group] as number) : 0
  }

  /** The number a group stands for. */
  value(group: number): number {
    return numberAt(this.text, this.starts[group] as number, this.ends[group] as number)
  }

  /** All digits of groups `[0, groups)`. */
  joined(groups: number): string {
    let digits = ''
    for (let group = 0; group < groups; group++) digits += this.text.slice(this.starts[group], this.ends[group])
    return digits
  }

  /** Whether nothing before the run makes it the rest of something longer. */
  startsClean(): boolean {
    return isCleanBefore(this.text, this.start)
  }
}

export function numberAt(text: string, start: number, end: number): number {
  let value = 0
  for (let at = start; at < end; at++) value = value * 10 + text.charCodeAt(at) - 48
  return value
}

/** A value may begin here: not inside a word, a decimal or a dashed name. */
export function isCleanBefore(text: string, start: number): boolean {
  const before = text.charCodeAt(start - 1)
  if (isWord(before) || before === 35 || before === 36) return false
  return !((before === DOT || before === HYPHEN) && isWord(text.charCodeAt(start - 2)))
}

/** A value may end here: no word, decimal or dashed name goes on. `@` would make it somebody's name. */
export function isCleanAfter(text: string, end: number): boolean {
  const after = text.charCodeAt(end)
  if (isWord(after) || after === 64) return false
  return !((after === DOT || after === HYPHEN) && isWord(text.charCodeAt(end + 1)))
}

function prefixBefore(text: string, at: number): number {
  const before = text.charCodeAt(at - 1)
  return before === PLUS || before === PARENTHESIS ? before : 0
}

/** `(+44)`: the parenthesis belongs to the number. */
function prefixLength(text: string, at: number, prefix: number): number {
  if (prefix === 0) return 0
  return prefix === PLUS && text.charCodeAt(at - 2) === PARENTHESIS ? 2 : 1
}

function endOfDigits(text: string, begin: number): number {
  let end = begin
  while (end - begin <= MAX_GROUP_DIGITS && isDigit(text.charCodeAt(end))) end++
  return end
}

/** `2024-11-21 10:30`: the 10 is none of ours. */
function isTimeOfDay(text: string, end: number, separator: number): boolean {
  return separator === SPACE && text.charCodeAt(end) === 58 && isDigit(text.charCodeAt(end + 1))
}

/** Characters between this group and the next: one, or up to three with a parenthesis; 0 when no group follows. */
function separatorLength(text: string, at: number): number {
  if (kindOf(text.charCodeAt(at)) === 0) return 0
  if (isDigit(text.charCodeAt(at + 1)) && text.charCodeAt(at) !== CLOSE) return 1
  for (let length = 1, parenthesis = false; length <= 3; length++) {
    const code = text.charCodeAt(at + length - 1)
    if (isDigit(code)) return 0
    if (kindOf(code) === 0) return 0
    parenthesis ||= code === PARENTHESIS || code === CLOSE
    if (isDigit(text.charCodeAt(at + length))) return parenthesis ? length : 0
  }
  return 0
}

function separatorOf(text: string, at: number, length: number): number {
  return length > 1 ? PARENTHESIS : kindOf(text.charCodeAt(at))
}

/** No-break and narrow spaces, and dashes that look like `-`, are written by people and by word processors. */
function kindOf(code: number): number {
  switch (code) {
    case 32: case 0xa0: case 0x2009: case 0x202f: return SPACE
    case 45: case 0x2010: case 0x2011: case 0x2013: return HYPHEN
    case 46: return DOT
    case 47: return SLASH
    case 40: case 41: return PARENTHESIS
    default: return 0
  }
}
