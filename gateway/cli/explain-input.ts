/** The input of an explanation: a command somebody might give, or one that was given. */
import type { CommandReceived, EventStore, Identity, SessionOpened, Target } from '../../core/index.ts'
import type { RuleInput } from '../../core/rules/index.ts'
import { queryAudit } from '../../projections/index.ts'
import type { Config } from '../config/index.ts'
import { identityOf } from '../identity-of.ts'
import { PROTOCOLS } from '../protocols/index.ts'
import { CliFailure, EXIT, type CliIo } from './io.ts'
import { withRecords } from './records.ts'

export interface ExplainWho {
  /** Name of a person; default: a person in no group. */
  readonly as?: string
  /** Name of a target; default: the first. */
  readonly target?: string
}

export async function writtenInput(config: Config, text: string, { as, target }: ExplainWho): Promise<RuleInput> {
  const where = targetOf(config, target)
  const protocol = PROTOCOLS.find(({ id }) => id === where.protocol)
  if (protocol === undefined) throw new CliFailure(EXIT.usage, `nothing here understands ${where.protocol}`)
  const analyse = await protocol.analyser()
  const now = Date.now()
  return {
    command: analyse(text, { values: [] }), identity: whoOf(config, as), target: where, now,
    session: { id: '', address: '127.0.0.1', application: '', task: '', tls: true, startedAt: new Date(now).toISOString(), commands: 1, transaction: 'idle' },
  }
}

function whoOf({ people }: Config, name: string | undefined): Identity {
  if (name === undefined) return { subject: 'somebody', kind: 'person', actor: '', groups: [], method: 'scram-sha-256' }
  const person = Object.hasOwn(people, name) ? people[name] : undefined
  if (person === undefined) throw new CliFailure(EXIT.usage, `there is no person "${name}" in the configuration`)
  return { ...identityOf(name, person), method: 'scram-sha-256' }
}

function targetOf({ targets }: Config, name = Object.keys(targets)[0] ?? ''): Target {
  const target = Object.hasOwn(targets, name) ? targets[name] : undefined
  if (target === undefined) throw new CliFailure(EXIT.usage, `there is no target "${name}" in the configuration`)
  const { protocol, database, labels, classes } = target
  return { name, protocol, database, labels, classes }
}

/** As it was then: the same command, identity, target and time; counters as far as events tell. */
export function recordedInput(io: CliIo, file: string, event: string): Promise<RuleInput> {
  return withRecords(io, file, async ({ projections, store }) => {
    const [found, another] = queryAudit(projections.database, { event, kind: 'command', limit: 2 })
    if (found === undefined) throw new CliFailure(EXIT.failed, `there is no command with the event ${event}; \`sallyport audit --json\` shows their ids`)
    if (another !== undefined) throw new CliFailure(EXIT.failed, `more than one event begins with ${event}; write more of its id`)
    return inputOf(store, found.session, found.event)
  })
}

async function inputOf(store: EventStore, session: string, command: string): Promise<RuleInput> {
  let opened: { data: SessionOpened; time: string } | undefined
  for await (const event of store.read(`session-${session}`)) {
    if (event.type === 'session.opened.v1') opened = { data: event.data as SessionOpened, time: event.time }
    if (event.id === command && opened !== undefined) return recorded(opened, event.data as CommandReceived, event.time)
  }
  throw new CliFailure(EXIT.failed, `the event store has no command ${command}`)
}

function recorded(opened: { data: SessionOpened; time: string }, { session, number, command }: CommandReceived, time: string): RuleInput {
  const { identity, target, address, tls, claimed } = opened.data
  return {
    command, identity, target, now: Date.parse(time),
    session: { id: session, address: address.replace(/:\d+$/, ''), application: claimed['application_name'] ?? '', task: claimed['sallyport.task'] ?? '', tls, startedAt: opened.time, commands: number, transaction: 'idle' },
  }
}
