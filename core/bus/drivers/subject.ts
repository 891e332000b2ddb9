/**
 * Subjects as NATS has them: dot-separated tokens; in a subscription `*` stands for one token and a last
 * `>` for one or more. Every driver checks them here, so that what works in one process works in many.
 * Stricter than a NATS server in one thing: `*` and `>` inside a longer token are refused, since they
 * look like a wildcard and are none.
 * Source: docs.nats.io, "Subject-Based Messaging"; nats-server `sublist.go`, `IsValidSubject`.
 */
import { SallyportError } from '../../errors.ts'

/** UTF-16 units. A NATS server takes 4096 bytes for a whole control line. */
export const MAX_SUBJECT_LENGTH = 255

const LITERAL = '[^\\s.*>\\x00-\\x1f\\x7f]+'
const SUBJECT = new RegExp(`^${LITERAL}(?:\\.${LITERAL})*$`)
const PATTERN = new RegExp(`^(?:(?:${LITERAL}|\\*)(?:\\.(?:${LITERAL}|\\*))*(?:\\.>)?|>)$`)
const QUEUE = new RegExp(`^${LITERAL}(?:\\.${LITERAL})*$`)

/** A subject to publish to: no wildcards. Throws `BUS_REFUSED`. */
export function checkSubject(subject: string): void {
  check(subject, SUBJECT, 'subject', 'dot-separated tokens without spaces or wildcards')
}

/** A subject to subscribe to. Throws `BUS_REFUSED`. */
export function checkPattern(pattern: string): void {
  check(pattern, PATTERN, 'subscription', 'dot-separated tokens, "*" for one, a last ">" for the rest')
}

/** The name of a queue group. Throws `BUS_REFUSED`. */
export function checkQueue(queue: string): void {
  check(queue, QUEUE, 'queue group', 'a name without spaces or wildcards')
}

/** Whether a subject falls under a pattern; both checked before. */
export function matchesPattern(pattern: string, subject: string): boolean {
  const wanted = pattern.split('.')
  const tokens = subject.split('.')
  for (const [index, token] of wanted.entries()) {
    if (token === '>') return tokens.length > index
    if (index >= tokens.length || (token !== '*' && token !== tokens[index])) return false
  }
  return wanted.length === tokens.length
}

function check(text: string, shape: RegExp, what: string, wanted: string): void {
  if (text.length <= MAX_SUBJECT_LENGTH && shape.test(text)) return
  throw new SallyportError('BUS_REFUSED', `${what} ${JSON.stringify(text.slice(0, MAX_SUBJECT_LENGTH))} is not ${wanted}`)
}
