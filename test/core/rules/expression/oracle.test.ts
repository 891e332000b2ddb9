import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import jsonata from 'jsonata'
import { documentBuilder } from '../../../../core/rules/document.ts'
import { checkExpression, ExpressionProblem } from '../../../../core/rules/expression/check.ts'
import { compile, TooMuchWork } from '../../../../core/rules/expression/compile.ts'
import { childrenOf, type Expression } from '../../../../core/rules/expression/expression.ts'
import { interpreter } from '../../../../core/rules/expression/interpret.ts'
import { print } from '../../../../core/rules/expression/print.ts'
import { inputType } from '../../../../core/rules/input-schema.ts'
import { FACTS, LABELS, ruleInput } from '../rule-input.ts'
import { expressionSource, inputParts } from './arbitrary-expression.ts'

const TYPE = inputType({ facts: FACTS, labels: LABELS })
const build = documentBuilder({ facts: FACTS, labels: LABELS })
const RUNS = Number(process.env.SALLYPORT_TEST_RUNS ?? 2_000)

type Parts = typeof inputParts extends fc.Arbitrary<infer T> ? T : never

function documentOf({ action, actions, text, values, resources, tables, unbounded, classes, groups }: Parts): unknown {
  const facts = { sql: { statements: 2, tables, writes: tables, unbounded, transaction: '' } }
  return build(ruleInput({ command: { action, actions, text, values, resources, facts }, target: { classes }, identity: { groups } })).root
}

function checked(source: string): Expression | undefined {
  try {
    return checkExpression(jsonata(source).ast(), TYPE)
  } catch (error) {
    if (error instanceof ExpressionProblem) return undefined
    throw error
  }
}

type Answer = { value: unknown } | 'failure' | 'too-much'

async function answer(evaluate: () => unknown): Promise<Answer> {
  try {
    const value = await evaluate()
    return { value: value === undefined ? undefined : JSON.parse(JSON.stringify(value)) as unknown }
  } catch (error) {
    return error instanceof TooMuchWork ? 'too-much' : 'failure'
  }
}

/** An empty selection is no value to JSONata and an empty list in a compiled rule; a single one is bare or in a list. */
function normal(result: Answer, isList: boolean): Answer {
  if (typeof result === 'string' || !isList) return result
  const { value } = result
  return { value: value === undefined ? [] : Array.isArray(value) ? value : [value] }
}

test('a compiled expression answers as JSONata does, whatever the input', async () => {
  let judged = 0
  await fc.assert(fc.asyncProperty(expressionSource, inputParts, async (source, parts) => {
    const expression = checked(source)
    const compiled = expression === undefined ? undefined : compile(expression)
    if (expression === undefined || compiled === undefined) return
    const root = documentOf(parts)
    const isList = expression.type.kind === 'list'
    const fast = normal(await answer(() => compiled(root)), isList)
    if (fast === 'too-much') return
    judged++
    assert.deepEqual(fast, normal(await answer(() => interpreter(expression)(root)), isList))
  }), { numRuns: RUNS })
  assert.ok(judged > RUNS / 4, `only ${judged} of ${RUNS} expressions were in the compiled part of the language`)
})

/** Where rules mean the empty list and JSONata means "no value", on purpose: joining and adding up. */
function tellsEmptyFromMissing(expression: Expression): boolean {
  const here = expression.op === 'call' && ['join', 'sum', 'max', 'min'].includes(expression.name)
  return here || childrenOf(expression).some(tellsEmptyFromMissing)
}

/** To rules a list of one is a list; JSONata takes the one out, and finds it unlike a list of one. */
function comparesLists(expression: Expression): boolean {
  return (expression.op === 'binary' && expression.operator !== 'in' && expression.left.type.kind === 'list') || childrenOf(expression).some(comparesLists)
}

test('being strict only ever turns an answer of plain JSONata into a failure', async () => {
  let judged = 0
  await fc.assert(fc.asyncProperty(expressionSource, inputParts, async (source, parts) => {
    const expression = checked(source)
    if (expression === undefined || comparesLists(expression)) return
    const root = documentOf(parts)
    const isList = expression.type.kind === 'list'
    let nothingSelected = false
    const trace = (part: Expression, value: unknown) => {
      nothingSelected ||= part.type.kind === 'list' && (value === undefined || (Array.isArray(value) && value.length === 0))
    }
    const strict = normal(await answer(() => interpreter(expression, trace)(root)), isList)
    if (strict === 'failure' || (nothingSelected && tellsEmptyFromMissing(expression))) return
    judged++
    assert.deepEqual(strict, normal(await answer(() => jsonata(source).evaluate(root)), isList))
  }), { numRuns: RUNS })
  assert.ok(judged > RUNS / 4, `only ${judged} of ${RUNS} expressions gave an answer`)
})

test('an expression printed and read again means the same', async () => {
  let judged = 0
  await fc.assert(fc.asyncProperty(expressionSource, inputParts, async (source, parts) => {
    const expression = checked(source)
    const printed = expression === undefined ? undefined : print(expression)
    if (expression === undefined || printed === undefined || printed.endsWith('…')) return
    judged++
    const again = checked(printed)
    assert.ok(again !== undefined, `${printed} is refused`)
    const root = documentOf(parts)
    assert.deepEqual(await answer(() => interpreter(again)(root)), await answer(() => interpreter(expression)(root)))
  }), { numRuns: RUNS / 4 })
  assert.ok(judged > RUNS / 16)
})
