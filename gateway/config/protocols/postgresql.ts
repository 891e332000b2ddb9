/** What the configuration says of PostgreSQL: one target, one listener, one person. */
import { z } from 'zod'
import { columnParts } from '../../../core/index.ts'
import { plainSection, section } from '../section.ts'
import { address, count, duration, fileReference, isReference, name, oneOf, reference, text, yesOrNo } from '../values.ts'

const TLS_MODES = ['disable', 'prefer', 'require', 'verify-ca', 'verify-full'] as const

const targetTls = section({
  mode: oneOf(TLS_MODES).default('verify-full'),
  ca: fileReference.optional(),
  cert: fileReference.optional(),
  key: reference.optional(),
  'server-name': text.optional(),
}).refine((tls) => (tls.cert === undefined) === (tls.key === undefined), { error: 'a client certificate needs both "cert" and "key"' })

const listenerTls = section({
  cert: fileReference,
  key: reference,
  required: yesOrNo.default(false),
})

/** Resource pattern → class: `public.customers.email: pii.email`. */
const classes = z.record(
  z.string().refine((pattern) => [2, 3].includes(columnParts(pattern)?.length ?? 0), { error: 'write a column as schema.table.column; each part may be *, and is quoted when it holds a dot' }),
  z.string({ error: 'write a class, such as pii.email' }).regex(/^[a-z][a-z0-9-]*(\.[a-z0-9-]+)*$/, { error: 'write a class in small letters with dots, such as pii.email' }),
  { error: (issue) => (issue.code === 'invalid_key' ? 'write a column as schema.table.column; each part may be *, and is quoted when it holds a dot' : undefined) },
)

const labels = z.record(
  z.string().regex(/^[a-z][a-z0-9_]{0,62}$/),
  text,
  { error: (issue) => (issue.code === 'invalid_key' ? 'write a label in small letters, digits and "_" (rules read it as target.labels.NAME)' : undefined) },
)

export const target = plainSection({
  protocol: z.literal('postgresql'),
  host: text,
  port: count(1, 65_535).default(5432),
  database: text,
  user: text,
  password: reference.optional(),
  tls: targetTls.optional(),
  labels: labels.default({}),
  classes: classes.default({}),
  databases: z.array(text, { error: 'write a list of database names: [reporting, archive]' }).optional(),
  'mask-key': reference.optional(),
  'mask-key-rotation': duration('1h', '366d').optional(),
  fastpath: yesOrNo.default(false),
  replication: yesOrNo.default(false),
  'connect-timeout': duration('100ms', '5m').default(10_000),
})

export const listener = plainSection({
  protocol: z.literal('postgresql'),
  listen: address,
  tls: listenerTls.optional(),
  target: name.optional(),
})

const VERIFIER = /^SCRAM-SHA-256\$\d{4,7}:[A-Za-z0-9+/]+={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$/
const VERIFIER_WANTED = 'write what `sallyport password` prints (SCRAM-SHA-256$…), or a reference to it; never a password'

/** How a person logs in by this protocol. */
export const login = section({
  verifier: z.string({ error: VERIFIER_WANTED }).refine((written) => isReference(written) || VERIFIER.test(written), { error: VERIFIER_WANTED }),
})
