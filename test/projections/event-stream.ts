/** Generated histories: sessions whose commands are decided, held, answered, recorded and ended, interleaved as they come. */
import fc from 'fast-check'
import type { Command, EventData, EventType, Identity, NewEvent, Target, Verdict } from '../../core/index.ts'

export interface Append {
  readonly stream: string
  readonly events: readonly NewEvent[]
}

export const command = (text: string, values: (string | null)[] = []): Command => ({
  protocol: 'postgresql', action: 'read', actions: ['read'], phase: 'execute', text, values, valuesComplete: true, resources: [], fidelity: 'parsed', opaque: '', facts: {},
})
export const verdict = (effect: Verdict['effect'], rules: string[] = ['some-rule'], by: Verdict['by'] = 'rules'): Verdict => ({
  effect, by, reason: `${effect} it`, votes: rules.map((rule) => ({ rule, effect, reason: 'because' })), obligations: { masks: [] }, ruleset: 'sha256:00',
})
export const identity = (subject: string, actor = ''): Identity => ({ subject, kind: actor === '' ? 'person' : 'agent', actor, groups: ['engineers'], method: 'scram-sha-256' })
export const target = (name: string, database = name): Target => ({ name, protocol: 'postgresql', database, labels: {}, classes: {} })

/** Writes events with growing ids and times; the same calls give the same events. */
export class History {
  readonly appends: Append[] = []
  #count = 0
  #ms = Date.UTC(2026, 10, 21, 9)

  at(ms: number): this {
    this.#ms = Date.UTC(2026, 10, 21, 9) + ms
    return this
  }

  add<T extends EventType>(stream: string, type: T, data: EventData<T>): string {
    const [event] = this.#event(type, data)
    this.appends.push({ stream, events: [event] })
    return event.id
  }

  open(session: string, who: Identity = identity('ada'), where: Target = target('shop')): void {
    this.add(`session-${session}`, 'session.opened.v1', {
      session, protocol: 'postgresql', identity: who, target: where, address: '127.0.0.1:5000', tls: false, claimed: { application_name: 'psql' },
    })
  }

  /** A command and its decision, as one append. */
  command(session: string, number: number, asked: Command, decided: Verdict): string {
    const [received] = this.#event('command.received.v1', { session, number, command: asked })
    const [decision] = this.#event('decision.made.v1', { session, command: received.id, verdict: decided })
    this.appends.push({ stream: `session-${session}`, events: [received, decision] })
    return received.id
  }

  settle(session: string, asked: string, outcome: Partial<EventData<'outcome.recorded.v1'>['outcome']> = {}): void {
    this.add(`session-${session}`, 'outcome.recorded.v1', { session, command: asked, outcome: { status: 'completed', rows: 1, bytes: 40, durationMs: 1.5, ...outcome } })
  }

  record(session: string, asked: string, text: string, more: { cappedAt?: number } = {}): void {
    const data = Buffer.from(text).toString('base64')
    this.add(`session-${session}`, 'recording.captured.v1', { session, command: asked, recording: { encoding: 'test/text', chunks: [{ at: 1, data }], bytes: text.length, ...more } })
  }

  /** Asks for an approval and has it answered, then decides again. */
  approve(session: string, asked: string, approval: string, granted: boolean): void {
    const stream = `approval-${approval}`
    const bound = { approval, session, command: asked, digest: 'sha256:11' }
    this.add(stream, 'approval.requested.v1', { ...bound, asked: command('x'), identity: identity('ada'), target: target('shop'), ruleset: 'sha256:00', votes: [], terms: { approvers: ['group:reviewers'], timeoutSeconds: 60 }, expires: '2026-11-21T10:00:00.000Z' })
    this.add(stream, granted ? 'approval.granted.v1' : 'approval.denied.v1', { approval, digest: 'sha256:11', by: identity('grace'), comment: 'seen' })
    this.add(`session-${session}`, 'decision.made.v1', { session, command: asked, verdict: verdict(granted ? 'allow' : 'block', ['hold'], 'approval'), approval })
  }

  close(session: string, commands: number): void {
    this.add(`session-${session}`, 'session.closed.v1', { session, reason: 'client-terminated', commands, bytesFromClient: 1, bytesToClient: 2 })
  }

  #event<T extends EventType>(type: T, data: EventData<T>): [NewEvent<T, EventData<T>>] {
    this.#ms += 7
    const id = sessionId(++this.#count)
    return [{ id, source: 'sallyport/test', type, subject: id, time: new Date(this.#ms).toISOString(), correlationid: 'test', data }]
  }
}

export function sessionId(number: number): string {
  return `${number.toString(16).padStart(8, '0')}-0000-8000-8000-000000000000`
}

const EFFECTS = ['allow', 'mask', 'block', 'await-approval'] as const
const step = fc.record({
  session: fc.nat(3),
  what: fc.constantFrom('command', 'command', 'command', 'settle', 'settle', 'record', 'approve', 'close', 'refuse', 'ruleset'),
  effect: fc.constantFrom(...EFFECTS),
  text: fc.string({ maxLength: 40, unit: 'binary' }),
  flag: fc.boolean(),
})
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

/** Histories of up to four sessions that interleave. */
export const histories: fc.Arbitrary<readonly Append[]> = fc.array(step, { maxLength: 60 }).map((steps) => {
  const history = new History()
  const sessions = new Map<string, { commands: string[]; approvals: number; closed: boolean }>()
  for (const each of steps) play(history, sessions, each)
  return history.appends
})

function play(history: History, sessions: Map<string, { commands: string[]; approvals: number; closed: boolean }>, { session: index, what, effect, text, flag }: Step): void {
  const session = sessionId(0xa0 + index)
  let state = sessions.get(session)
  if (state === undefined) {
    history.open(session, identity('ada', flag ? 'bot' : ''), target('shop', flag ? 'shop' : 'analytics'))
    sessions.set(session, state = { commands: [], approvals: 0, closed: false })
  }
  const last = state.commands.at(-1)
  if (what === 'refuse') history.add('access', 'access.refused.v1', { protocol: 'postgresql', address: '10.0.0.1:1', claimedSubject: 'eve', target: 'shop', code: 'bad-credentials', message: text })
  if (what === 'ruleset') history.add('ruleset', 'ruleset.loaded.v1', { digest: 'sha256:00', default: 'block', rules: [] })
  if (state.closed) return
  if (what === 'command') state.commands.push(history.command(session, state.commands.length + 1, command(text, flag ? [text, null] : []), verdict(effect)))
  if (what === 'settle' && last !== undefined) history.settle(session, last, flag ? {} : { status: 'failed', error: { code: '42P01', message: text } })
  if (what === 'record' && last !== undefined) history.record(session, last, text)
  if (what === 'approve' && last !== undefined) history.approve(session, last, `${index}x${state.approvals++}`, flag)
  if (what === 'close') {
    history.close(session, state.commands.length)
    state.closed = true
  }
}
