/** The kinds of single values a configuration file holds: each says, when refused, what to write instead. */
import { z } from 'zod'

const BYTES = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 } as const
const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const REFERENCE = /^\$\{(env:[A-Za-z_][A-Za-z0-9_]*|file:[^}]+)\}$/
const MAX_TEXT = 4096

export const text = z.string({ error: 'write a text' }).min(1, { error: 'write a text that is not empty' })
  .max(MAX_TEXT, { error: `write at most ${MAX_TEXT} characters` })

export const yesOrNo = z.boolean({ error: 'write true or false' })

/** `64KiB` → 65536. */
export function bytes(min: number, max: number) {
  return quantity(BYTES, { min, max, example: '64KiB, 1MiB', what: 'a size' })
}

/** `10m` → 600000 (ms). */
export function duration(min: string, max: string) {
  return quantity(MILLISECONDS, { min: milliseconds(min), max: milliseconds(max), example: '500ms, 30s, 10m or 2h', what: 'a duration', range: `from ${min} to ${max}` })
}

function milliseconds(written: string): number {
  return parseQuantity(written, MILLISECONDS) ?? 0
}

interface Quantity { min: number; max: number; example: string; what: string; range?: string }

function quantity(units: Readonly<Record<string, number>>, { min, max, example, what, range }: Quantity) {
  return z.unknown().transform((written, context) => {
    const value = parseQuantity(written, units)
    if (value !== undefined && value >= min && value <= max) return value
    const message = value === undefined ? `write ${what} with its unit, such as ${example}` : `write ${what} ${range ?? `from ${min} to ${max} bytes`}`
    context.addIssue({ code: 'custom', message })
    return z.NEVER
  })
}

function parseQuantity(written: unknown, units: Readonly<Record<string, number>>): number | undefined {
  const [, digits, unit] = /^(\d{1,9})\s?([A-Za-z]+)$/.exec(String(written)) ?? []
  const factor = unit !== undefined && Object.hasOwn(units, unit) ? units[unit] : undefined
  return factor === undefined ? undefined : Number(digits) * factor
}

export function count(min: number, max: number) {
  const error = `write a whole number from ${min} to ${max}`
  return z.int({ error }).min(min, { error }).max(max, { error })
}

export function oneOf<const Words extends readonly [string, ...string[]]>(words: Words) {
  return z.enum(words, { error: `write one of: ${words.join(', ')}` })
}

/**
 * `${env:NAME}` or `${file:path}`: where a secret is, never the secret. What was written is not repeated
 * in the problem, for it may be one.
 */
export const reference = z.string({ error: referenceWanted }).regex(REFERENCE, { error: referenceWanted })

function referenceWanted(): string {
  return 'a secret does not belong in this file; write "${env:NAME}" or "${file:path}"'
}

export function isReference(written: string): boolean {
  return REFERENCE.test(written)
}

/** A file of the configuration (a certificate), as a reference to it. */
export const fileReference = z.string({ error: 'write "${file:path}"' }).regex(REFERENCE, { error: 'write "${file:path}" (or "${env:NAME}" where its PEM text is)' })

export interface Address { readonly host: string; readonly port: number }

/** `127.0.0.1:15432`, `[::1]:15432`, `db.internal:5432`. Port 0 asks the system for a free one. */
export const address = z.unknown().transform((written, context): Address => {
  const [, bracketed, plain, port] = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9._-]+)):(\d{1,5})$/.exec(String(written)) ?? []
  const host = bracketed ?? plain
  if (host !== undefined && Number(port) <= 65_535) return { host, port: Number(port) }
  context.addIssue({ code: 'custom', message: 'write an address and a port, such as "127.0.0.1:15432" or "[::1]:15432"' })
  return z.NEVER
})

/** Whether only this machine can reach it. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.\d{1,3}){3}$/.test(host)
}

/** Names of people, targets, groups and gateways: no spaces, no control characters, short enough for every protocol. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/
const NAME_WANTED = 'write a name of at most 63 letters, digits, ".", "_", "@" or "-", beginning with a letter or digit'
export const name = z.string({ error: NAME_WANTED }).regex(NAME, { error: NAME_WANTED })

export function named<Schema extends z.ZodType>(schema: Schema) {
  return z.record(name, schema, {
    error: (issue) => (issue.code === 'invalid_key' ? NAME_WANTED : issue.code === 'invalid_type' ? 'expected a section of names, each with its own settings' : undefined),
  })
}
