import type { DefElem, Node } from 'libpg-query'
import type { CopyFormat } from '../mask/copy-format.ts'
import { argumentText } from './ast.ts'

type Draft = { -readonly [K in keyof CopyFormat]: CopyFormat[K] }
/** What an option says, or why it cannot be followed. */
type Option = (draft: Draft, option: DefElem) => string | undefined

const KINDS = ['text', 'csv', 'binary'] as const
/** Options of COPY FROM; the server refuses them here. */
const OPTIONS: Readonly<Record<string, Option>> = {
  format: (draft, { arg }) => {
    const kind = KINDS.find((each) => each === argumentText(arg))
    if (kind === undefined) return 'its format is not known'
    draft.kind = kind
    return undefined
  },
  delimiter: (draft, { arg }) => character(arg, (byte) => (draft.delimiter = byte)),
  quote: (draft, { arg }) => character(arg, (byte) => (draft.quote = byte)),
  escape: (draft, { arg }) => character(arg, (byte) => (draft.escape = byte)),
  null: (draft, { arg }) => {
    const text = argumentText(arg)
    if (typeof text !== 'string') return 'its NULL cannot be read'
    draft.null = text
    return undefined
  },
  header: (draft, { arg }) => {
    const said = isTrue(arg)
    if (said === undefined) return 'its HEADER cannot be read'
    draft.header = said
    return undefined
  },
  force_quote: (draft) => {
    draft.forceQuote = true
    return undefined
  },
  encoding: (_, { arg }) => (/^(utf-?8|unicode)$/i.test(argumentText(arg) ?? '') ? undefined : 'its ENCODING is not UTF8'),
}

/** Reads the options of a COPY to the client, as the server would. */
export function copyFormat(options: readonly Node[] | undefined): CopyFormat {
  const draft: Draft = { kind: 'text', delimiter: -1, quote: -1, escape: -1, null: '', header: false, forceQuote: false, problem: '' }
  const names = new Set<string>()
  for (const node of options ?? []) {
    if (!('DefElem' in node)) continue
    const { defname = '' } = node.DefElem
    draft.problem ||= (Object.hasOwn(OPTIONS, defname) ? OPTIONS[defname]?.(draft, node.DefElem) : `its option ${defname} is not known`) ?? ''
    names.add(defname)
  }
  return { ...draft, ...defaults(draft, names.has('null')) }
}

const [TAB, COMMA, QUOTE] = [0x09, 0x2c, 0x22]

function defaults({ kind, delimiter, quote, escape, null: none }: Draft, saysNull: boolean): Partial<CopyFormat> {
  const csv = kind === 'csv'
  const quotes = quote < 0 ? QUOTE : quote
  return {
    delimiter: delimiter < 0 ? (csv ? COMMA : TAB) : delimiter,
    quote: quotes,
    escape: escape < 0 ? quotes : escape,
    null: saysNull ? none : csv ? '' : '\\N',
  }
}

function character(arg: Node | undefined, set: (byte: number) => void): string | undefined {
  const text = argumentText(arg)
  const byte = typeof text === 'string' && text.length === 1 ? text.charCodeAt(0) : 0
  if (byte === 0 || byte > 0x7f) return 'one of its delimiters is not one ASCII character'
  set(byte)
  return undefined
}

function isTrue(arg: Node | undefined): boolean | undefined {
  if (arg === undefined) return true
  if ('Boolean' in arg) return arg.Boolean.boolval === true
  if ('Integer' in arg) return (arg.Integer.ival ?? 0) !== 0
  const text = argumentText(arg)?.toLowerCase()
  if (text === 'true' || text === 'on') return true
  return text === 'false' || text === 'off' ? false : undefined
}
