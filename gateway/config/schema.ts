/** The whole configuration file, as `sallyport init` explains it. */
import { z } from 'zod'
import { detection } from './detection.ts'
import { listenerSchema, loginSchemas, targetSchema } from './protocols/index.ts'
import { section } from './section.ts'
import { address, bytes, count, duration, isLoopback, isReference, name, named, oneOf, reference, text, yesOrNo } from './values.ts'

const MIB = 1024 ** 2
const MAX_SOCKET_PATH = 100

/** `embedded` → `{ embedded: {} }`, so that a word and a section are one shape. */
function wordOrSection<Schema extends z.ZodType>(schema: Schema) {
  return z.preprocess((written) => (typeof written === 'string' ? { [written]: {} } : written), schema)
}

function exactlyOne(wanted: string) {
  return (value: object, context: z.core.$RefinementCtx): void => {
    const named = Object.values(value).filter((inner) => inner !== undefined)
    if (named.length !== 1) context.addIssue({ code: 'custom', message: wanted })
  }
}

/** A URL that holds a password is a secret. */
const url = (schemes: RegExp, example: string) => z.string({ error: `write ${example}` })
  .refine((written) => isReference(written) || schemes.test(written), { error: `write ${example}` })
  .refine((written) => isReference(written) || !/\/\/[^/]*:[^/]*@/.test(written), { error: 'a password does not belong in this file; write "${env:NAME}" in place of the whole URL' })

const STORE_WANTED = 'write one of: embedded, memory, { embedded: { path: … } } or { eventstoredb: "esdb://…" }'
const store = wordOrSection(section({
  embedded: section({ path: text.default('./data/events.db') }).optional(),
  eventstoredb: url(/^(esdb|esdb\+discover|kurrentdb|kurrentdb\+discover):\/\/\S+$/, '"esdb://host:2113" or "${env:NAME}"').optional(),
  memory: section({}).optional(),
}).superRefine(exactlyOne(STORE_WANTED)))

const BUS_WANTED = 'write local, or { nats: { servers: ["nats://host:4222"] } }'
const bus = wordOrSection(section({
  local: section({}).optional(),
  nats: section({
    servers: z.array(url(/^(nats|tls):\/\/\S+$/, '"nats://host:4222"'), { error: 'write a list of servers: ["nats://host:4222"]' }).min(1, { error: 'write at least one server' }),
    user: text.optional(),
    password: reference.optional(),
    token: reference.optional(),
    tls: section({ ca: text.optional(), cert: text.optional(), key: text.optional() }).optional(),
  }).optional(),
}).superRefine(exactlyOne(BUS_WANTED)))

const rules = section({
  folder: text.default('./rules'),
  default: oneOf(['block', 'allow']).default('block'),
  watch: yesOrNo.default(true),
})

const approver = z.string({ error: 'write group:NAME or the name of a person' })
  .regex(/^(group:)?[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$/, { error: 'write group:NAME or the name of a person' })
const approvals = section({
  approvers: z.array(approver, { error: 'write a list: [group:reviewers]' }).default([]),
  timeout: duration('1s', '1d').default(600_000),
  impact: section({
    enabled: yesOrNo.default(true),
    'max-cost': count(0, 1_000_000_000).default(100_000),
    timeout: duration('100ms', '30s').default(2000),
    'sample-rows': count(0, 20).default(5),
  }).prefault({}),
})

const grants = section({
  max: duration('1s', '7d').default(28_800_000),
  /** Who may give one; when it is not said, those who approve. */
  approvers: z.array(approver, { error: 'write a list: [group:reviewers]' }).optional(),
})

const recording = section({ 'bytes-per-command': bytes(0, 16 * MIB).default(65_536) })

const limits = section({
  sessions: count(1, 100_000).default(1000),
  'sessions-per-person': count(1, 100_000).default(200),
  'login-timeout': duration('100ms', '5m').default(15_000),
  'statement-bytes': bytes(1024, 256 * MIB).default(16 * MIB),
  'store-backlog': bytes(MIB, 1024 * MIB).default(64 * MIB),
})

const api = section({
  socket: text.max(MAX_SOCKET_PATH, { error: `a socket's path can be at most ${MAX_SOCKET_PATH} characters long; write a shorter one` }).optional(),
  listen: address.refine(({ host }) => isLoopback(host), { error: 'the API speaks plain HTTP and listens only on this machine; write a socket, or 127.0.0.1:PORT behind a TLS proxy' }).optional(),
}).superRefine((value, context) => {
  if (value.socket !== undefined && value.listen !== undefined) context.addIssue({ code: 'custom', message: 'write either socket or listen, not both' })
})

const TOKEN_WANTED = 'write what `sallyport token` prints (sha256:…), never the token itself'
const person = section({
  kind: oneOf(['person', 'service', 'agent']).default('person'),
  'acts-for': name.optional(),
  groups: z.array(name, { error: 'write a list of group names: [engineers]' }).default([]),
  targets: z.array(name, { error: 'write a list of target names: [shop]' }).optional(),
  api: section({
    token: z.string({ error: TOKEN_WANTED }).regex(/^sha256:[0-9a-f]{64}$/, { error: TOKEN_WANTED }),
    operator: yesOrNo.default(false),
  }).optional(),
  ...loginSchemas,
})

export const configSchema = section({
  gateway: section({ name: name.default('gateway-1'), key: reference.optional() }).prefault({}),
  store: store.prefault('embedded'),
  bus: bus.prefault('local'),
  audit: oneOf(['write-ahead', 'relaxed']).default('write-ahead'),
  rules: rules.prefault({}),
  detection: detection.prefault({}),
  approvals: approvals.prefault({}),
  grants: grants.prefault({}),
  recording: recording.prefault({}),
  limits: limits.prefault({}),
  api: api.prefault({}),
  projections: section({ path: text.default('./data/projections.db') }).prefault({}),
  listeners: z.array(listenerSchema, { error: 'write a list of listeners, each beginning with "- "' }).min(1, { error: 'write at least one listener' }),
  targets: named(targetSchema).refine((targets) => Object.keys(targets).length > 0, { error: 'write at least one target' }),
  people: named(person).prefault({}),
})

export type Config = z.output<typeof configSchema>
export type Person = Config['people'][string]
export type TargetConfig = Config['targets'][string]
export type ListenerConfig = Config['listeners'][number]
export type { Address } from './values.ts'
