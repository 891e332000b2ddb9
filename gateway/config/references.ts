/**
 * What one part of the configuration says about another: targets, people and groups by name, addresses that may
 * be used once. Reads the file as written, because it runs even when other parts of it are wrong.
 */
import { didYouMean } from './did-you-mean.ts'

export interface PathProblem {
  readonly path: readonly (string | number)[]
  readonly message: string
}
type Section = Readonly<Record<string, unknown>>
type Path = readonly (string | number)[]

export function checkReferences(file: unknown): PathProblem[] {
  const root = section(file)
  return [
    ...listenerProblems(root),
    ...entries(root.people).flatMap(([person, settings]) => personProblems(root, person, section(settings))),
    ...approverProblems(root, 'approvals'),
    ...approverProblems(root, 'grants'),
  ]
}

function listenerProblems(root: Section): PathProblem[] {
  const seen = new Map<string, number>()
  return items(root.listeners).flatMap((written, index) => {
    const listener = section(written)
    return [...targetOf(root, listener, index), ...listensTwice(seen, listener.listen, index)]
  })
}

function targetOf(root: Section, listener: Section, index: number): PathProblem[] {
  if (typeof listener.target !== 'string') return []
  const path = ['listeners', index, 'target']
  const target = member(root.targets, listener.target)
  if (target === undefined) return unknown(path, 'target', listener.target, root.targets)
  const protocol = section(target).protocol
  if (protocol === listener.protocol) return []
  return [{ path, message: `target "${listener.target}" speaks ${String(protocol)}, this listener ${String(listener.protocol)}; write a target of the same protocol` }]
}

function listensTwice(seen: Map<string, number>, listen: unknown, index: number): PathProblem[] {
  if (typeof listen !== 'string' || listen.endsWith(':0')) return []
  const first = seen.get(listen)
  seen.set(listen, first ?? index)
  if (first === undefined) return []
  return [{ path: ['listeners', index, 'listen'], message: `${listen} is already taken by listeners[${first}]; write another port` }]
}

function personProblems(root: Section, person: string, settings: Section): PathProblem[] {
  const path = ['people', person]
  return [
    ...items(settings.targets).flatMap((target, index) => (
      typeof target !== 'string' || Object.hasOwn(section(root.targets), target) ? [] : unknown([...path, 'targets', index], 'target', target, root.targets))),
    ...actsForProblems(root, path, person, settings),
    ...(settings.kind === 'agent' && settings.api !== undefined ? [{ path: [...path, 'api'], message: 'an agent cannot review; give the token to a person' }] : []),
  ]
}

function actsForProblems(root: Section, path: Path, person: string, settings: Section): PathProblem[] {
  const principal = settings['acts-for']
  if (typeof principal !== 'string') return []
  const at = [...path, 'acts-for']
  if (settings.kind !== 'agent') return [{ path: at, message: 'only an agent acts for somebody; write kind: agent, or leave acts-for out' }]
  if (principal === person) return [{ path: at, message: 'an agent cannot act for itself; write the name of a person or service' }]
  const behind = member(root.people, principal)
  if (behind === undefined) return unknown(at, 'person', principal, root.people)
  if (section(behind).kind === 'agent') return [{ path: at, message: `"${principal}" is an agent itself; write the name of a person or service` }]
  return []
}

/** A group nobody is in, or a person who does not exist, can never approve. */
function approverProblems(root: Section, part: 'approvals' | 'grants'): PathProblem[] {
  const groups = new Set(entries(root.people).flatMap(([, settings]) => items(section(settings).groups)))
  return items(section(root[part]).approvers).flatMap((approver, index) => {
    const path = [part, 'approvers', index]
    if (typeof approver !== 'string' || /\s/.test(approver)) return []
    if (!approver.startsWith('group:')) return Object.hasOwn(section(root.people), approver) ? [] : unknown(path, 'person', approver, root.people)
    if (groups.has(approver.slice(6))) return []
    return [{ path, message: `nobody is in the group "${approver.slice(6)}"; add it to the groups of a person, or name another` }]
  })
}

function unknown(path: Path, what: string, written: string, known: unknown): PathProblem[] {
  const near = didYouMean(written, entries(known).map(([key]) => key))
  const hint = near === undefined ? `add it under ${what === 'target' ? 'targets' : 'people'}` : `did you mean "${near}"?`
  return [{ path, message: `there is no ${what} "${written.slice(0, 64)}"; ${hint}` }]
}

function section(value: unknown): Section {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value as Section : {}
}
/** Not `constructor` and the like, which every object answers to. */
function member(value: unknown, key: string): unknown {
  const inside = section(value)
  return Object.hasOwn(inside, key) ? inside[key] : undefined
}
function entries(value: unknown): [string, unknown][] {
  return Object.entries(section(value))
}
function items(value: unknown): unknown[] {
  return Array.isArray(value) ? value : []
}
