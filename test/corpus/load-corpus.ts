/** Reads the cases of the corpus: YAML files, each a list of cases, in one folder per kind. */
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { Type, type Static } from 'typebox'
import { Value } from 'typebox/value'
import { parse } from 'yaml'
import { secretIn } from '../fault/disguises.ts'
import { CORPUS_SECRETS } from './corpus-shop.ts'

/** The sample rules that block by themselves. A case that names one is also run where everything else is allowed. */
const BLOCK_RULES = ['block-drop-and-truncate', 'block-unbounded-writes', 'block-server-files-and-programs', 'block-opaque-for-agents'] as const

const COMMON = {
  /** Unique in the whole corpus. */
  id: Type.String({ pattern: '^[a-z0-9]+(-[a-z0-9]+)*$' }),
  why: Type.String({ minLength: 10 }),
  /** A session: each is sent when the one before it is answered. */
  statements: Type.Array(Type.String({ minLength: 1 }), { minItems: 1 }),
  /** What the database's owner made before, past every gateway: the case is run in a database of its own. */
  given: Type.Optional(Type.Array(Type.String({ minLength: 1 }), { minItems: 1 })),
}
/** It changes more than its session: it is run in a database of its own. */
const fresh = Type.Optional(Type.Literal(true))

const LeakSchema = Type.Object({
  ...COMMON, fresh,
  /**
   * `no-secret`: no byte that the client gets, or that is kept, holds a masked value. `no-difference`: what the client gets is
   * the same whichever of the twins is asked. `differs`: it is not, and docs/masking.md says so.
   */
  expect: Type.Union([Type.Literal('no-secret'), Type.Literal('no-difference'), Type.Literal('differs')]),
}, { additionalProperties: false })
export type LeakCase = Static<typeof LeakSchema>

const BlockSchema = Type.Object({
  ...COMMON,
  /** The client gets 42501, and the database is as it was. */
  expect: Type.Literal('blocked'),
  /** Which sample rule blocks it; without one: none of them allows it. */
  rule: Type.Optional(Type.Union(BLOCK_RULES.map((name) => Type.Literal(name)))),
  /** What shows that it would do harm: the database changes (default), it runs, or `untried`: it would end or hang this server, or this server refuses it for reasons of its own. */
  straight: Type.Optional(Type.Union([Type.Literal('runs'), Type.Literal('untried')])),
}, { additionalProperties: false })
export type BlockCase = Static<typeof BlockSchema>

const HarmlessSchema = Type.Object({
  ...COMMON,
  /** It runs, with the answer that the server itself gives, but for the masked columns; `runs`: the answer is never twice the same. */
  expect: Type.Union([Type.Literal('same-rows'), Type.Literal('runs')]),
  /** `masks-only`: the sample rules do not allow it to anybody (it creates something), so it is run under masks alone; `people`: not to agents, who then are. */
  rules: Type.Optional(Type.Union([Type.Literal('masks-only'), Type.Literal('people')])),
}, { additionalProperties: false })
export type HarmlessCase = Static<typeof HarmlessSchema>

export const loadLeaks = (): LeakCase[] => load('leaks', LeakSchema).map(typingNoSecret)
export const loadBlocks = (): BlockCase[] => load('blocks', BlockSchema)
export const loadHarmless = (): HarmlessCase[] => load('harmless', HarmlessSchema)

function load<S extends Type.TSchema>(folder: string, schema: S): Static<S>[] {
  const root = fileURLToPath(new URL(`${folder}/`, import.meta.url))
  return readdirSync(root).filter((name) => name.endsWith('.yaml')).toSorted().flatMap((name) => {
    const cases: unknown = parse(readFileSync(root + name, 'utf8'))
    if (!Array.isArray(cases)) throw new Error(`${folder}/${name} is no list of cases`)
    return cases.map((each: unknown, index) => {
      const [problem] = Value.Errors(schema, each)
      if (problem !== undefined) throw new Error(`${folder}/${name}, case ${index + 1} (${JSON.stringify(each).slice(0, 60)}): ${problem.instancePath} ${problem.message}`)
      return each as Static<S>
    })
  })
}

/** What somebody types is theirs; a case that typed a secret could find it in its own text. */
function typingNoSecret(each: LeakCase): LeakCase {
  const typed = each.expect === 'no-secret' ? secretIn(Buffer.from(each.statements.join('\n')), CORPUS_SECRETS) : undefined
  if (typed !== undefined) throw new Error(`${each.id} types a secret itself: ${typed}`)
  return each
}
