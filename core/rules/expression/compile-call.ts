import { asList, asNumber, asText, compileAll, compileNode, spend, TooMuchWork, type Code, type Frame, type Slots } from './compile.ts'
import { RuleFailure, type Expression } from './expression.ts'
import { LinearRegExp } from './linear-regexp.ts'

/** Instructions × characters a pattern may cost here: a few milliseconds at worst. */
const MAX_PATTERN_WORK = 50_000

/** Compiles the library functions that need no function as an argument; `undefined` for the others. */
export function compileCall(expression: Expression & { op: 'call' }, slots: Slots): Code | undefined {
  const [first, second] = expression.arguments
  if (expression.name === 'exists' && first !== undefined) return exists(first, slots)
  if (expression.name === 'contains' && second?.op === 'regex') return matches(expression, slots)
  const make = LIBRARY[expression.name]
  const codes = make === undefined ? undefined : compileAll(expression.arguments, slots)
  if (make === undefined || codes === undefined) return undefined
  return fixedArity(make, codes)
}

type Library = (frame: Frame, a: unknown, b: unknown, c: unknown) => unknown

function fixedArity(run: Library, [a = NOTHING, b = NOTHING, c = NOTHING]: readonly Code[]): Code {
  return (frame, context) => run(frame, a(frame, context), b(frame, context), c(frame, context))
}
const NOTHING: Code = () => undefined

/** A selection that is empty does not exist; compiled, it is an empty list. */
function exists(argument: Expression, slots: Slots): Code | undefined {
  const code = compileNode(argument, slots)
  if (code === undefined) return undefined
  const selection = argument.type.kind === 'list' && argument.presence === 'empty'
  return (frame, context) => {
    const value = code(frame, context)
    return selection && Array.isArray(value) ? value.length > 0 : value !== undefined
  }
}

function matches(expression: Expression & { op: 'call' }, slots: Slots): Code | undefined {
  const [first, second] = expression.arguments
  const subject = first === undefined ? undefined : compileNode(first, slots)
  if (subject === undefined || second?.op !== 'regex') return undefined
  const pattern = new LinearRegExp(second.source, second.flags)
  const { size } = pattern
  return (frame, context) => {
    const text = string(subject(frame, context))
    spend(frame, text.length >> 4)
    if (text.length * size > MAX_PATTERN_WORK) throw new TooMuchWork('the text is too long to match at once')
    return pattern.test(text)
  }
}

function string(value: unknown): string {
  if (typeof value !== 'string') throw new RuleFailure('a text is needed')
  return value
}

function text(frame: Frame, value: unknown): string {
  const read = string(value)
  spend(frame, read.length >> 4)
  return read
}

function numbers(frame: Frame, value: unknown): readonly number[] {
  const list = asList(value)
  spend(frame, list.length)
  return list.map(asNumber)
}

/** Lists of more than this go elsewhere: `Math.max` takes its arguments on the stack. */
const LIBRARY: Readonly<Record<string, Library>> = {
  not: (_frame, value) => value !== true,
  count: (_frame, list) => asList(list).length,
  string: (_frame, value) => (value === null ? 'null' : asText(value)),
  length: (frame, value) => codePoints(text(frame, value)),
  lowercase: (frame, value) => text(frame, value).toLowerCase(),
  uppercase: (frame, value) => text(frame, value).toUpperCase(),
  trim: (frame, value) => text(frame, value).replace(/[ \t\n\r]+/g, ' ').replace(/^ | $/g, ''),
  contains: (frame, value, part) => text(frame, value).includes(string(part)),
  substringBefore: (frame, value, mark) => before(text(frame, value), string(mark)),
  substringAfter: (frame, value, mark) => after(text(frame, value), string(mark)),
  join: (frame, list, separator) => join(frame, asList(list), separator),
  abs: (_frame, value) => Math.abs(asNumber(value)),
  floor: (_frame, value) => Math.floor(asNumber(value)),
  ceil: (_frame, value) => Math.ceil(asNumber(value)),
  sum: (frame, list) => numbers(frame, list).reduce((total, each) => total + each, 0),
  max: (frame, list) => extreme(numbers(frame, list), Math.max),
  min: (frame, list) => extreme(numbers(frame, list), Math.min),
  lookup: (_frame, map, key) => lookup(map, string(key)),
}

function codePoints(value: string): number {
  let count = 0
  for (const _ of value) count++
  return count
}

function before(value: string, mark: string): string {
  const at = value.indexOf(mark)
  return at < 0 ? value : value.slice(0, at)
}

function after(value: string, mark: string): string {
  const at = value.indexOf(mark)
  return at < 0 ? value : value.slice(at + mark.length)
}

function join(frame: Frame, list: readonly unknown[], separator: unknown): string {
  const between = separator === undefined ? '' : string(separator)
  for (const each of list) spend(frame, 1 + (string(each).length + between.length >> 4))
  return list.join(between)
}

function extreme(list: readonly number[], choose: (a: number, b: number) => number): number | undefined {
  return list.length === 0 ? undefined : list.reduce((a, b) => choose(a, b))
}

function lookup(map: unknown, key: string): unknown {
  if (map === null || typeof map !== 'object' || !Object.hasOwn(map, key)) return undefined
  return (map as Record<string, unknown>)[key]
}
