import type { Command } from '../events/index.ts'
import { documentBuilder, hideIncomplete, mismatch, type RuleDocument } from './document.ts'
import { nearest } from './expression/nearest.ts'
import type { ObjectType, Type } from './expression/type.ts'
import { inputType, type InputVocabulary } from './input-schema.ts'
import type { RuleInput } from './rule-engine.ts'
import type { RuleCase } from './cases.ts'

/** Analyses the text of a case's `sql`; given by the adapter. */
export type AnalyseText = (text: string, context: { readonly values: readonly (string | null)[] }) => Command

/** What a case leaves out: a person on a plain session, doing nothing in particular, on a Thursday at noon UTC. */
const NEUTRAL: RuleInput = {
  command: {
    protocol: 'postgresql', action: '', actions: [], phase: 'execute', text: '', values: [], valuesComplete: true, resources: [],
    fidelity: 'parsed', opaque: '', facts: {},
  },
  identity: { subject: 'somebody', kind: 'person', actor: '', groups: [], method: 'test' },
  target: { name: 'target', protocol: 'postgresql', database: '', labels: {}, classes: {} },
  session: { id: 'session', address: '192.0.2.1', application: '', task: '', tls: true, startedAt: '2026-01-01T12:00:00.000Z', commands: 1, transaction: 'idle' },
  now: Date.UTC(2026, 0, 1, 12),
}

/**
 * Makes the document of a case: neutral defaults, then what the analysis of `sql` says, then the case's own fields.
 * Returns what is wrong as text when a field does not exist or has another type.
 */
export function caseDocument(vocabulary: InputVocabulary, { input, sql }: RuleCase, analyse?: AnalyseText): RuleDocument | string {
  if (sql !== undefined && analyse === undefined) return 'there is nothing here that can analyse `sql`'
  const values = valuesOf(input)
  const command = sql === undefined || analyse === undefined ? NEUTRAL.command : analyse(sql, { values })
  const type = inputType(vocabulary)
  try {
    const base = structuredClone(documentBuilder(vocabulary)({ ...NEUTRAL, command }).root)
    const unknown = unknownField(input, type, '')
    if (unknown !== undefined) return unknown
    return finish(merge(base, withActions(input)) as RuleDocument['root'], type)
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

function valuesOf(input: RuleCase['input']): (string | null)[] {
  const { values } = (input.command ?? {}) as { values?: unknown }
  return Array.isArray(values) ? values as (string | null)[] : []
}

/** A case that names one action means that it is the only one. */
function withActions(input: RuleCase['input']): unknown {
  const { command } = input as { command?: Record<string, unknown> }
  if (command === undefined || command.action === undefined || command.actions !== undefined) return input
  return { ...input, command: { ...command, actions: [command.action] } }
}

function unknownField(value: unknown, type: Type, path: string): string | undefined {
  if (type.kind === 'list' && Array.isArray(value)) return value.map((each) => unknownField(each, type.of, path)).find((each) => each !== undefined)
  if (type.kind !== 'object' || value === null || typeof value !== 'object') return undefined
  for (const [name, inner] of Object.entries(value)) {
    const of = type.fields.get(name) ?? type.rest
    const at = path === '' ? name : `${path}.${name}`
    if (of === undefined) return `there is no ${at}${hint(name, type, path)}`
    const deeper = unknownField(inner, of, at)
    if (deeper !== undefined) return deeper
  }
  return undefined
}

function hint(name: string, type: ObjectType, path: string): string {
  const near = nearest(name, type.fields.keys())
  return near === undefined ? `; there are ${[...type.fields.keys()].join(', ')}` : `; write ${path === '' ? near : `${path}.${near}`}`
}

function merge(base: unknown, over: unknown): unknown {
  if (!isPlain(base) || !isPlain(over)) return over
  const merged: Record<string, unknown> = { ...base }
  for (const [name, value] of Object.entries(over)) merged[name] = Object.hasOwn(base, name) ? merge(base[name], value) : value
  return merged
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function finish(root: RuleDocument['root'], type: ObjectType): RuleDocument | string {
  const wrong = mismatch(root, type, '')
  if (wrong !== undefined) return wrong
  const { textComplete, valuesComplete } = root.command as { textComplete: boolean; valuesComplete: boolean }
  const incomplete = [...textComplete ? [] : ['text'], ...valuesComplete ? [] : ['values']]
  return { root: incomplete.length === 0 ? root : hideIncomplete(root, incomplete), incomplete }
}
