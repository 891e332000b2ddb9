import { setTimeout as wait } from 'node:timers/promises'
import type { Exemption, Outcome, Recording } from '../../core/index.ts'
import { printable, printableLine } from '../text/printable.ts'
import type { SessionEntry } from '../sessions/query.ts'
import type { ReplayStep } from './read.ts'

/** Turns recorded bytes into what the client saw, as text, and says where a recording was capped; an adapter has one for its own encodings. */
export type RecordingRenderer = (recording: Recording, step: ReplayStep) => string
export type RecordingRenderers = Readonly<Record<string, RecordingRenderer>>

export function renderReplayHeader({ session, opened, closed, person, actor, method, target, database, address, tls, application, reason }: SessionEntry): string {
  const from = `from ${address}${tls ? ' with TLS' : ''}${application === '' ? '' : `, says it is ${printableLine(application)}`}`
  return [
    `session ${session}`,
    `${actor === '' ? person : `${actor} for ${person}`} (${method}) on ${printableLine(`${target}/${database}`)} ${from}`,
    `${opened} to ${closed === '' ? 'now (not closed)' : `${closed} (${reason})`}`,
  ].join('\n')
}

/** One command: when, what, what was decided, what the client saw, how it ended. */
export function renderStep(step: ReplayStep, renderers: RecordingRenderers): string {
  return [asked(step), ...decided(step), ...responses(step, renderers), ended(step)].join('\n')
}

/** Waits as the session did; `speed` 2 is twice as fast. */
export async function* playReplay(steps: AsyncIterable<ReplayStep>, speed: number, signal?: AbortSignal): AsyncGenerator<ReplayStep> {
  let at = 0
  for await (const step of steps) {
    await wait(Math.max(0, step.at - at) / speed, undefined, signal === undefined ? {} : { signal })
    at = step.at
    yield step
  }
}

/** `+12.345s` */
function offset(ms: number): string {
  return `+${(ms / 1000).toFixed(3)}s`
}

function asked({ at, number, command }: ReplayStep): string {
  const [first = '', ...more] = printable(command.text).split('\n')
  const rest = more.map((line) => `${' '.repeat(12)}${line}`)
  const cutAt = command.textBytes === undefined ? [] : [`${' '.repeat(12)}(the first part of ${command.textBytes} bytes)`]
  const values = command.values.length === 0 ? [] : [`${' '.repeat(12)}values: ${printableLine(JSON.stringify(command.values))}`]
  return [`${offset(at).padEnd(11)} #${number} ${first}`, ...rest, ...cutAt, ...values].join('\n')
}

function decided({ decisions, answer, impact, at, time }: ReplayStep): string[] {
  const lines = decisions.map(({ effect, by, reason, id, exemptions = [] }) => `  ${effect} by ${by}: ${printableLine(reason)} [${id}]${exemptions.map(exemptLine).join('')}`)
  if (answer === undefined) return lines
  const when = offset(at + Date.parse(answer.time) - Date.parse(time))
  const expected = impact === undefined ? [] : [`  impact: ${printableLine(impact.summary)}`]
  const comment = answer.comment === '' ? '' : `: ${printableLine(answer.comment)}`
  return [...lines.slice(0, 1), ...expected, `  ${when} ${answer.status} by ${printableLine(answer.approver)}${comment} (approval ${answer.approval})`, ...lines.slice(1)]
}

function exemptLine({ column, by, reason }: Exemption): string {
  return `\n    not masked: ${printableLine(`${column}, by ${by}: ${reason}`)}`
}

function responses(step: ReplayStep, renderers: RecordingRenderers): string[] {
  const { recording } = step
  if (recording === undefined) return []
  const render = Object.hasOwn(renderers, recording.encoding) ? renderers[recording.encoding] : undefined
  const text = render === undefined ? `(${recording.bytes} bytes of ${recording.encoding}, which nothing here can render)` : render(recording, step)
  return printable(text).trimEnd().split('\n').map((line) => `  | ${line}`.trimEnd())
}

function ended({ outcome }: ReplayStep): string {
  if (outcome === undefined) return '  (nobody saw how it ended)'
  return `  ${outcome.status}${outcome.tag === undefined ? '' : ` ${printableLine(outcome.tag)}`}, ${outcome.rows} rows in ${outcome.durationMs.toFixed(1)} ms${maskedPart(outcome)}${errorPart(outcome)}`
}

function maskedPart({ masked }: Outcome): string {
  return masked === undefined ? '' : `, masked ${masked.values} values of ${printableLine(masked.columns.join(', '))}`
}

function errorPart({ error }: Outcome): string {
  return error === undefined ? '' : `, error ${printableLine(`${error.code} ${error.message}`)}`
}
