import type { Command, CommandReceived, DecisionMade, NewEvent, OutcomeRecorded, Recording, RecordingCaptured, Verdict } from '../events/index.ts'
import { isDeeplyFrozen } from '../frozen.ts'

const SMALLEST_BYTES = 512 * 1024
/** Longer texts are left to V8, which is faster then; what is shorter costs less than the call. */
const LONG_TEXT = 128
/** Six bytes for the worst character (`\u0000`), and the quotes. */
const MOST_PER_CHARACTER = 6
const LONG_PIECE = 128

const QUOTE = 0x22
const BACKSLASH = 0x5c

/**
 * Memory that events are written to as JSON in UTF-8: what `JSON.stringify` says, with the keys in another order. What most
 * of the record consists of, the same in command after command (the statement as it is understood, the verdict on it), is
 * encoded once and then copied. Only what is deeply frozen is remembered, since nothing else is sure to stay as it is.
 */
export class EventBytes {
  #buffer: Buffer<ArrayBuffer>
  #length = 0

  /** `memory` may be what an earlier one used. */
  constructor(memory: ArrayBuffer = new ArrayBuffer(SMALLEST_BYTES)) {
    this.#buffer = Buffer.from(memory)
  }

  get length(): number {
    return this.#length
  }

  get memory(): ArrayBuffer {
    return this.#buffer.buffer
  }

  text(): string {
    return this.#buffer.toString('utf8', 0, this.#length)
  }

  /** Takes back what was written behind `length`. */
  cut(length: number): void {
    this.#length = length
  }

  /** Writes the events of one append as a JSON array. Throws `TypeError` for what is not JSON; `cut` what was written then. */
  addArray(events: readonly NewEvent[]): void {
    let before = '['
    for (const event of events) {
      this.#ascii(before)
      this.#event(event)
      before = ','
    }
    this.#ascii(']')
  }

  addByte(byte: number): void {
    this.#room(1)
    this.#buffer[this.#length++] = byte
  }

  /** What comes with every command is written field by field, as its schema has it; the rest is left to V8. */
  #event(event: NewEvent): void {
    switch (event.type) {
      case 'command.received.v1':
        this.#envelope(event, event.data as CommandReceived)
        return this.#commandReceived(event.data as CommandReceived)
      case 'decision.made.v1':
        this.#envelope(event, event.data as DecisionMade)
        return this.#decisionMade(event.data as DecisionMade)
      case 'outcome.recorded.v1':
        this.#envelope(event, event.data as OutcomeRecorded)
        return this.#outcomeRecorded(event.data as OutcomeRecorded)
      case 'recording.captured.v1':
        this.#envelope(event, event.data as RecordingCaptured)
        return this.#recordingCaptured(event.data as RecordingCaptured)
      default:
        return this.#json(event)
    }
  }

  /** All of an event but the rest of its data, and two braces. */
  #envelope(event: NewEvent, { session }: { readonly session: string }): void {
    const { id, subject, time, causationid, traceparent } = event
    this.#text('{"id":', id)
    this.#text(',"subject":', subject)
    this.#text(',"time":', time)
    if (causationid !== undefined) this.#text(',"causationid":', causationid)
    if (traceparent !== undefined) this.#text(',"traceparent":', traceparent)
    this.#bytes(commonOf(event, session))
  }

  #commandReceived({ number, command }: CommandReceived): void {
    const { text, textBytes, phase, values, valuesComplete } = command
    this.#ascii(',"number":')
    this.#ascii(String(number))
    this.#ascii(',"command":')
    this.#bytes(statementOf(command))
    this.#text(',"text":', text)
    if (textBytes !== undefined) this.#ascii(`,"textBytes":${textBytes}`)
    this.#text(',"phase":', phase)
    this.#values(values)
    this.#ascii(valuesComplete ? '],"valuesComplete":true}}}' : '],"valuesComplete":false}}}')
  }

  #values(values: readonly (string | null)[]): void {
    let before = ',"values":['
    for (const value of values) {
      if (value === null) this.#ascii(`${before}null`)
      else this.#text(before, value)
      before = ','
    }
    if (values.length === 0) this.#ascii(before)
  }

  #decisionMade({ command, verdict, approval }: DecisionMade): void {
    this.#text(',"command":', command)
    this.#ascii(',"verdict":')
    this.#bytes(bytesOfVerdict(verdict))
    if (approval !== undefined) this.#text(',"approval":', approval)
    this.#ascii('}}')
  }

  #outcomeRecorded({ command, outcome }: OutcomeRecorded): void {
    this.#text(',"command":', command)
    this.#ascii(',"outcome":')
    this.#json(outcome)
    this.#ascii('}}')
  }

  #recordingCaptured({ command, recording }: RecordingCaptured): void {
    this.#text(',"command":', command)
    this.#text(',"recording":{"encoding":', recording.encoding)
    this.#chunks(recording)
    this.#ascii(`],"bytes":${recording.bytes}${recording.cappedAt === undefined ? '' : `,"cappedAt":${recording.cappedAt}`}}}}`)
  }

  #chunks({ chunks }: Recording): void {
    let before = ',"chunks":['
    for (const { at, data } of chunks) {
      this.#ascii(`${before}{"at":${at}`)
      this.#text(',"data":', data)
      before = '},'
    }
    this.#ascii(chunks.length === 0 ? before : '}')
  }

  #json(value: unknown): void {
    this.#utf8(JSON.stringify(value))
  }

  /** `before` is of this file: short, and without anything to escape. */
  #text(before: string, text: string): void {
    this.#ascii(before)
    if (text.length > LONG_TEXT) return this.#utf8(JSON.stringify(text))
    this.#room(text.length * MOST_PER_CHARACTER + 2)
    const buffer = this.#buffer
    let at = this.#length
    buffer[at++] = QUOTE
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code < 0x20 || code > 0x7e || code === QUOTE || code === BACKSLASH) return this.#utf8(JSON.stringify(text))
      buffer[at++] = code
    }
    buffer[at++] = QUOTE
    this.#length = at
  }

  #ascii(text: string): void {
    this.#room(text.length)
    const buffer = this.#buffer
    let at = this.#length
    for (let i = 0; i < text.length; i++) buffer[at++] = text.charCodeAt(i)
    this.#length = at
  }

  #utf8(text: string): void {
    this.#room(text.length * 3)
    this.#length += this.#buffer.write(text, this.#length)
  }

  #bytes(bytes: Uint8Array): void {
    this.#room(bytes.length)
    if (bytes.length > LONG_PIECE) this.#buffer.set(bytes, this.#length)
    else for (let i = 0; i < bytes.length; i++) this.#buffer[this.#length + i] = bytes[i] ?? 0
    this.#length += bytes.length
  }

  #room(bytes: number): void {
    const needed = this.#length + bytes
    if (needed > this.#buffer.length) this.#grow(needed)
  }

  /** To a power of two, so that memory which is used again fits. */
  #grow(needed: number): void {
    const grown = Buffer.from(new ArrayBuffer(2 ** Math.ceil(Math.log2(needed))))
    this.#buffer.copy(grown, 0, 0, this.#length)
    this.#buffer = grown
  }
}

/** What the events of one type have in common within a session. */
interface CommonPart {
  readonly source: string
  readonly session: string
  readonly bytes: Buffer
}

/** By type and `correlationid`. Sessions that are over are forgotten when there are too many. */
const commonParts = new Map<string, Map<string, CommonPart>>()
const MAX_COMMON_PARTS = 20_000

function commonOf({ source, type, correlationid }: NewEvent, session: string): Buffer {
  let ofType = commonParts.get(type)
  if (ofType === undefined) commonParts.set(type, (ofType = new Map()))
  const known = ofType.get(correlationid)
  if (known !== undefined && known.source === source && known.session === session) return known.bytes
  if (ofType.size >= MAX_COMMON_PARTS) ofType.clear()
  const [from, what, about, whose] = [source, type, correlationid, session].map((text) => JSON.stringify(text))
  const bytes = Buffer.from(`,"source":${from},"type":${what},"correlationid":${about},"data":{"session":${whose}`)
  ofType.set(correlationid, { source, session, bytes })
  return bytes
}

const verdicts = new WeakMap<Verdict, Buffer>()

function bytesOfVerdict(verdict: Verdict): Buffer {
  const known = verdicts.get(verdict)
  if (known !== undefined) return known
  const bytes = Buffer.from(JSON.stringify(verdict))
  if (isDeeplyFrozen(verdict)) verdicts.set(verdict, bytes)
  return bytes
}

interface EncodedStatement {
  readonly command: Command
  /** The command's JSON without what differs from one execution to the next, and without the closing brace. */
  readonly bytes: Buffer
}

const statements = new WeakMap<Command['facts'], EncodedStatement>()

function statementOf(command: Command): Buffer {
  const known = statements.get(command.facts)
  if (known !== undefined && isSameStatement(known.command, command)) return known.bytes
  const { text: _text, textBytes: _bytes, phase: _phase, values: _values, valuesComplete: _complete, ...statement } = command
  const bytes = Buffer.from(JSON.stringify(statement).slice(0, -1))
  if ([command.facts, command.resources, command.actions].every(isDeeplyFrozen)) statements.set(command.facts, { command: { ...command, text: '', values: [] }, bytes })
  return bytes
}

function isSameStatement(known: Command, command: Command): boolean {
  return known.resources === command.resources
    && known.actions === command.actions
    && known.action === command.action
    && known.protocol === command.protocol
    && known.fidelity === command.fidelity
    && known.opaque === command.opaque
}
