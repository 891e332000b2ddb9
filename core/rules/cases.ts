import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { isMap, isScalar, isSeq, LineCounter, parseDocument, type Node, type YAMLMap } from 'yaml'
import type { RuleProblem } from './load-ruleset.ts'
import { nearest } from './expression/nearest.ts'

/** What a case expects of its rule: no vote, a failure, or votes that have at least these fields. */
export type Expectation = 'none' | 'failure' | readonly Readonly<Record<string, unknown>>[]

/** One case beside a rule. */
export interface RuleCase {
  readonly name: string
  readonly file: string
  /** 1-based. */
  readonly line: number
  /** Part of the input as rules see it; laid over neutral defaults. */
  readonly input: Readonly<Record<string, unknown>>
  /** A statement, analysed by the adapter; `input.command` is laid over what it says. */
  readonly sql?: string
  readonly expect: Expectation
}

const ENDINGS = ['.cases.yaml', '.cases.yml', '.cases.json'] as const
const KEYS = ['name', 'sql', 'input', 'expect'] as const
const MAX_CASE_FILE_BYTES = 1_048_576

/** Reads the cases beside a rule: `NAME.cases.yaml` (or .json). No file: no cases. */
export async function readCases(folder: string, rule: string): Promise<{ cases: RuleCase[]; problems: RuleProblem[] }> {
  for (const ending of ENDINGS) {
    const file = rule + ending
    const text = await readText(join(folder, file))
    if (text === undefined) continue
    if (text === '') return { cases: [], problems: [{ file, line: 1, message: `empty, or larger than ${MAX_CASE_FILE_BYTES} bytes` }] }
    return parseCases(file, text)
  }
  return { cases: [], problems: [] }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    return (await stat(path)).size > MAX_CASE_FILE_BYTES ? '' : await readFile(path, 'utf8')
  } catch {
    return undefined
  }
}

/** JSON is YAML, so one reader serves both and knows lines. */
export function parseCases(file: string, text: string): { cases: RuleCase[]; problems: RuleProblem[] } {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const lineOf = (node: Node | null | undefined) => lines.linePos(node?.range?.[0] ?? 0).line
  const [error] = document.errors
  if (error !== undefined) return refused(file, lines.linePos(error.pos[0]).line, `not YAML: ${error.message.split('\n')[0]}`)
  if (!isSeq(document.contents)) return refused(file, 1, 'write a list of cases: - name: …')
  const cases: RuleCase[] = []
  const problems: RuleProblem[] = []
  for (const item of document.contents.items as Node[]) {
    const read = isMap(item) ? readCase(file, item, lineOf) : { problem: 'a case is { name, input, expect }' }
    if ('problem' in read) problems.push({ file, line: lineOf(read.at ?? item), message: read.problem })
    else cases.push(read)
  }
  return { cases, problems }
}

function refused(file: string, line: number, message: string): { cases: RuleCase[]; problems: RuleProblem[] } {
  return { cases: [], problems: [{ file, line, message }] }
}

interface CaseProblem { readonly problem: string; readonly at?: Node }

function readCase(file: string, map: YAMLMap, lineOf: (node: Node) => number): RuleCase | CaseProblem {
  for (const { key } of map.items) {
    const name = isScalar(key) ? String(key.value) : ''
    if (!KEYS.some((known) => known === name)) return { problem: `a case has no "${name}"; write ${nearest(name, KEYS) ?? KEYS.join(', ')}`, at: key as Node }
  }
  const { name, sql, input = {}, expect } = map.toJSON() as Record<string, unknown>
  if (typeof name !== 'string' || name === '') return { problem: 'name the case with a sentence: name: blocks …' }
  if (sql !== undefined && typeof sql !== 'string') return { problem: 'sql is the text of a statement' }
  if (input === null || typeof input !== 'object' || Array.isArray(input)) return { problem: 'input is a part of what rules see, such as { command: { action: drop } }' }
  const expectation = readExpectation(expect)
  if (expectation === undefined) return { problem: 'expect says what the rule does: none, failure, or { effect: block, … }' }
  const read = { name, file, line: lineOf(map), input: input as Record<string, unknown>, expect: expectation }
  return sql === undefined ? read : { ...read, sql }
}

function readExpectation(expect: unknown): Expectation | undefined {
  if (expect === 'none' || expect === 'failure') return expect
  const votes: unknown[] = Array.isArray(expect) ? expect : [expect]
  const good = votes.length > 0 && votes.every((vote) => vote !== null && typeof vote === 'object' && 'effect' in vote)
  return good ? votes as Record<string, unknown>[] : undefined
}
