import type { FactValue, FactsDeclaration } from './rule-engine.ts'
import { ANY, BOOLEAN, NUMBER, STRING, STRINGS, listOf, objectOf, oneOf, type ObjectType, type Type } from './expression/type.ts'

/** What there is to read depends on: the families of facts, and the labels that targets have. */
export interface InputVocabulary {
  readonly facts: readonly FactsDeclaration[]
  readonly labels: readonly string[]
}

/** Names that facts may not take, because every command has them. */
const COMMAND_FIELDS: Readonly<Record<string, Type>> = {
  protocol: STRING,
  action: STRING,
  actions: STRINGS,
  phase: oneOf('execute', 'prepare'),
  text: STRING,
  textComplete: BOOLEAN,
  values: listOf(ANY),
  valuesComplete: BOOLEAN,
  resources: listOf(objectOf({ name: STRING, kind: STRING, access: oneOf('read', 'write'), columns: STRINGS })),
  fidelity: oneOf('parsed', 'heuristic', 'opaque'),
  opaque: STRING,
}

/** The type of the whole input a rule sees. Throws `TypeError` when facts are declared under a name that is taken. */
export function inputType({ facts, labels }: InputVocabulary): ObjectType {
  const families: Record<string, Type> = {}
  for (const { namespace, defaults } of facts) {
    if (namespace in COMMAND_FIELDS || namespace in families) throw new TypeError(`facts "${namespace}": the name is taken`)
    families[namespace] = objectOf(Object.fromEntries(Object.entries(defaults).map(([name, value]) => [name, typeOfFact(value)])))
  }
  return objectOf({
    command: objectOf({ ...COMMAND_FIELDS, ...families }),
    identity: objectOf({
      subject: STRING, kind: oneOf('person', 'service', 'agent'), actor: STRING, groups: STRINGS, method: STRING,
    }),
    target: objectOf({
      name: STRING, protocol: STRING, database: STRING,
      labels: objectOf(Object.fromEntries(labels.map((label) => [label, STRING]))),
      classes: objectOf({}, STRING),
    }),
    session: objectOf({
      id: STRING, address: STRING, application: STRING, task: STRING, tls: BOOLEAN, startedAt: STRING, commands: NUMBER,
      transaction: oneOf('idle', 'open', 'failed'),
    }),
    time: objectOf({ iso: STRING, hour: NUMBER, minute: NUMBER, weekday: NUMBER, date: STRING, epoch: NUMBER }),
  })
}

function typeOfFact(value: FactValue): Type {
  if (typeof value === 'string') return STRING
  if (typeof value === 'number') return NUMBER
  return typeof value === 'boolean' ? BOOLEAN : STRINGS
}
