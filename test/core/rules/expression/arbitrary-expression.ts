import fc from 'fast-check'

/** Source text of expressions in the language of rules, by the type they yield. */
export interface Sources {
  readonly boolean: string
  readonly string: string
  readonly number: string
  readonly strings: string
}

const WORDS = ['read', 'write', 'drop', 'public.a', 'public.b', 'person', '', 'ada', 'é😀x', '5']
const word = fc.constantFrom(...WORDS)
const quoted = word.map((each) => JSON.stringify(each))

const { boolean, string, number, strings } = fc.letrec<Sources>((tie) => ({
  string: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    quoted,
    fc.constantFrom(
      'command.action', 'command.text', 'identity.subject', 'target.labels.env', 'target.labels.`data-class`', 'command.sql.transaction',
      'command.values[0]', 'command.values[-1]', '$$.command.action', 'command.resources[0].name', 'command.actions[1]', 'target.classes.`public.a`',
    ),
    fc.tuple(fc.constantFrom('lowercase', 'uppercase', 'trim', 'string'), tie('string')).map(([name, of]) => `$${name}(${of})`),
    fc.tuple(fc.constantFrom('substringBefore', 'substringAfter'), tie('string'), tie('string')).map(([name, of, mark]) => `$${name}(${of}, ${mark})`),
    fc.tuple(tie('string'), tie('string')).map(([a, b]) => `(${a} & ${b})`),
    fc.tuple(tie('string'), tie('number')).map(([a, b]) => `(${a} & ${b})`),
    fc.tuple(tie('boolean'), tie('string'), tie('string')).map(([test, a, b]) => `(${test} ? ${a} : ${b})`),
    fc.tuple(tie('strings'), tie('string')).map(([list, between]) => `$join(${list}, ${between})`),
    fc.tuple(tie('strings'), fc.integer({ min: -2, max: 2 })).map(([list, at]) => `(${list})[${at}]`),
    tie('string').map((of) => `($x := ${of}; $x & command.action)`),
    tie('string').map((key) => `$lookup(target.classes, ${key})`),
  ),
  number: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.integer({ min: -3, max: 9 }).map(String),
    fc.constantFrom('command.sql.statements', 'session.commands', 'time.hour', 'command.http.status', '1.5'),
    tie('strings').map((list) => `$count(${list})`),
    tie('string').map((of) => `$length(${of})`),
    fc.tuple(fc.constantFrom('abs', 'floor', 'ceil'), tie('number')).map(([name, of]) => `$${name}(${of})`),
    fc.tuple(fc.constantFrom('+', '-', '*', '/', '%'), tie('number'), tie('number')).map(([op, a, b]) => `(${a} ${op} ${b})`),
    fc.tuple(fc.constantFrom('sum', 'max', 'min'), fc.array(tie('number'), { maxLength: 3 })).map(([name, of]) => `$${name}([${of.join(', ')}])`),
    tie('number').map((of) => `-(${of})`),
  ),
  strings: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.array(tie('string'), { minLength: 1, maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
    fc.constantFrom(
      'command.actions', 'identity.groups', 'command.sql.tables', 'command.resources.name', 'command.resources.columns', 'command.resources[0].columns',
      'command.resources[access = "write"].name', 'command.resources[name in $$.command.sql.tables].columns', 'command.resources.(name & kind)',
    ),
    fc.tuple(tie('strings'), fc.constantFrom('$ = "drop"', '$contains($, "a")', '$ in $$.command.actions', '$length($) > 4', '$not($ = $$.command.text)'))
      .map(([list, test]) => `(${list})[${test}]`),
    tie('strings').map((list) => `(${list}).$lowercase($)`),
  ),
  boolean: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.constantFrom('true', 'false', 'command.sql.unbounded', 'session.tls', 'command.valuesComplete'),
    fc.tuple(fc.constantFrom('=', '!=', '<', '<=', '>', '>='), tie('string'), tie('string')).map(([op, a, b]) => `(${a} ${op} ${b})`),
    fc.tuple(fc.constantFrom('=', '!=', '<', '<=', '>', '>='), tie('number'), tie('number')).map(([op, a, b]) => `(${a} ${op} ${b})`),
    fc.tuple(tie('strings'), tie('strings')).map(([a, b]) => `(${a} = ${b})`),
    fc.tuple(tie('string'), tie('strings')).map(([a, b]) => `(${a} in ${b})`),
    fc.tuple(fc.constantFrom('and', 'or'), tie('boolean'), tie('boolean')).map(([op, a, b]) => `(${a} ${op} ${b})`),
    tie('boolean').map((of) => `$not(${of})`),
    fc.tuple(tie('string'), tie('string')).map(([a, b]) => `$contains(${a}, ${b})`),
    fc.tuple(tie('string'), fc.constantFrom('/^p/', '/A$/i', '/(a|b)+c?/', '/[é-ü]/', '/\\bdrop\\b/i', '/^$/m', '/./')).map(([a, b]) => `$contains(${a}, ${b})`),
    tie('string').map((of) => `$exists(${of})`),
    fc.constantFrom('$exists(command.values[1])', '$exists(command.resources[access = "write"])', '$exists(command.resources.name)', '$exists(command.actions[5])'),
  ),
}))

/** An expression of any type, or a vote that has such expressions in it. */
export const expressionSource: fc.Arbitrary<string> = fc.oneof(
  boolean, string, number, strings,
  fc.tuple(boolean, string).map(([test, reason]) => `${test} ? { "effect": "block", "reason": ${reason} }`),
  fc.tuple(boolean, boolean, string).map(([a, b, reason]) => `${a} ? { "a": ${reason} } : ${b} ? [{ "b": 1 }, { "c": ${reason} }]`),
  fc.tuple(strings).map(([list]) => `command.resources[name in ${list}].{ "effect": "block", "reason": name }`),
)

const access = fc.constantFrom('read', 'write')
const resource = fc.record({ name: word, kind: fc.constant('table'), access, columns: fc.array(word, { maxLength: 3 }) })

/** Parts of a document that make the expressions above differ. */
export const inputParts = fc.record({
  action: fc.constantFrom('read', 'drop', 'update'),
  actions: fc.array(word, { maxLength: 3 }),
  text: word,
  values: fc.array(fc.oneof(word, fc.constant(null)), { maxLength: 3 }),
  resources: fc.array(resource, { maxLength: 3 }),
  tables: fc.array(word, { maxLength: 2 }),
  unbounded: fc.boolean(),
  classes: fc.dictionary(word, fc.constant('pii.email'), { maxKeys: 2 }),
  groups: fc.array(word, { maxLength: 2 }),
})
