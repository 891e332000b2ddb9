import type { Target } from '../events/index.ts'
import { RuleFailure } from './expression/expression.ts'
import { ANY, type ObjectType, type Type } from './expression/type.ts'
import { inputType, type InputVocabulary } from './input-schema.ts'
import type { RuleInput } from './rule-engine.ts'

/** The input as rules see it: plain data with every declared field, and the names of those that are not whole. */
export interface RuleDocument {
  readonly root: Readonly<Record<string, unknown>>
  /** Fields of `command` that are cut (`text`, `values`): a rule that reads one fails, unless it asks first. */
  readonly incomplete: readonly string[]
}

/** Makes documents of inputs; throws `RuleFailure` when an input is not what was declared. */
export interface DocumentBuilder {
  (input: RuleInput): RuleDocument
  /** The document of another execution of the same statement, from that of an earlier one. */
  again(known: RuleDocument, input: RuleInput): RuleDocument
}

export function documentBuilder(vocabulary: InputVocabulary): DocumentBuilder {
  const build = builder(vocabulary)
  const session = inputType(vocabulary).fields.get('session') ?? ANY
  const again = (known: RuleDocument, input: RuleInput): RuleDocument => {
    if (known.incomplete.length > 0) return build(input)
    const wrong = mismatch(input.session, session, 'session') ?? (Array.isArray(input.command.values) ? undefined : 'command.values is not a list')
    if (wrong !== undefined) throw new RuleFailure(wrong)
    const command = { ...known.root.command as object, values: input.command.values }
    return { root: rootOf(command, known.root.identity, known.root.target, input), incomplete: known.incomplete }
  }
  return Object.assign(build, { again })
}

function builder(vocabulary: InputVocabulary): (input: RuleInput) => RuleDocument {
  const { fields } = inputType(vocabulary)
  const withoutTime: ObjectType = { kind: 'object', fields: new Map([...fields].filter(([name]) => name !== 'time')) }
  const targets = new WeakMap<Target, object>()
  return (input) => {
    const incomplete = incompleteFields(input)
    const root = rootOf(commandView(input, vocabulary, incomplete), input.identity, targetView(input.target, vocabulary.labels, targets), input)
    const wrong = mismatch(root, withoutTime, '')
    if (wrong !== undefined) throw new RuleFailure(wrong)
    return { root: incomplete.length === 0 ? root : hideIncomplete(root, incomplete), incomplete }
  }
}

function incompleteFields({ command }: RuleInput): readonly string[] {
  const incomplete: string[] = []
  if (command.textBytes !== undefined) incomplete.push('text')
  if (!command.valuesComplete) incomplete.push('values')
  return incomplete
}

function commandView({ command }: RuleInput, { facts }: InputVocabulary, incomplete: readonly string[]): Record<string, unknown> {
  const view: Record<string, unknown> = {
    protocol: command.protocol,
    action: command.action,
    actions: command.actions,
    phase: command.phase,
    text: command.text,
    textComplete: !incomplete.includes('text'),
    values: command.values,
    valuesComplete: command.valuesComplete,
    resources: command.resources,
    fidelity: command.fidelity,
    opaque: command.opaque,
  }
  for (const { namespace, defaults } of facts) view[namespace] = Object.hasOwn(command.facts, namespace) ? command.facts[namespace] : defaults
  return view
}

function targetView(target: Target, labels: readonly string[], known: WeakMap<Target, object>): object {
  const remembered = known.get(target)
  if (remembered !== undefined) return remembered
  const view = { ...target, labels: Object.fromEntries(labels.map((label) => [label, Object.hasOwn(target.labels, label) ? target.labels[label] : ''])) }
  if (Object.isFrozen(target)) known.set(target, view)
  return view
}

/** Most rules do not ask for the time, and telling it costs more than all they ask for. */
function rootOf(command: unknown, identity: unknown, target: unknown, { session, now }: RuleInput): RuleDocument['root'] {
  if (!(Math.abs(now) <= MAX_TIME_MS)) throw new RuleFailure('the clock gives no time')
  let time: object | undefined
  return { command, identity, target, session, get time() { return (time ??= timeView(now)) } }
}

/** The last moment a `Date` can hold. */
const MAX_TIME_MS = 8.64e15

/** UTC. `weekday`: 1 is Monday, 7 Sunday; `epoch`: ms. */
function timeView(now: number): object {
  const date = new Date(now)
  const iso = date.toISOString()
  return { iso, hour: date.getUTCHours(), minute: date.getUTCMinutes(), weekday: date.getUTCDay() || 7, date: iso.slice(0, iso.indexOf('T')), epoch: now }
}

/** The first place where a value is not what was declared; a field that is not there would open gates. */
export function mismatch(value: unknown, type: Type, path: string): string | undefined {
  if (type.kind === 'any') return undefined
  if (type.kind === 'list') return listMismatch(value, type.of, path)
  if (type.kind === 'object') return objectMismatch(value, type, path)
  return typeof value === type.kind ? undefined : `${path} is missing or not what was declared`
}

function listMismatch(value: unknown, of: Type, path: string): string | undefined {
  if (!Array.isArray(value)) return `${path} is missing or not a list`
  if (of.kind === 'any') return undefined
  for (const each of value) {
    const wrong = mismatch(each, of, path)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

function objectMismatch(value: unknown, type: ObjectType, path: string): string | undefined {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) return `${path} is missing or not an object`
  for (const [name, of] of type.fields) {
    const wrong = mismatch(Object.hasOwn(value, name) ? (value as Record<string, unknown>)[name] : undefined, of, path === '' ? name : `${path}.${name}`)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

/** Puts a trap in place of each cut field. Also used where a document arrives in another thread. */
export function hideIncomplete(root: RuleDocument['root'], incomplete: readonly string[]): RuleDocument['root'] {
  const command = { ...root.command as object }
  for (const field of incomplete) {
    Object.defineProperty(command, field, { enumerable: true, configurable: true, get: () => refuseIncomplete(field) })
  }
  return { ...root, command }
}

function refuseIncomplete(field: string): never {
  throw new RuleFailure(`command.${field} was too large to keep whole; ask command.${field}Complete first`)
}

/** The document as plain data, for another thread: without what is cut. */
export function portable({ root, incomplete }: RuleDocument): RuleDocument {
  if (incomplete.length === 0) return { root, incomplete }
  const command = { ...Object.getOwnPropertyDescriptors(root.command) } as Record<string, PropertyDescriptor>
  const kept = Object.entries(command).filter(([name]) => !incomplete.includes(name)).map(([name, { value }]) => [name, value as unknown])
  return { root: { ...root, command: Object.fromEntries(kept) }, incomplete }
}
