import { isDeepStrictEqual } from 'node:util'
import { caseDocument, type AnalyseText } from './case-input.ts'
import { readCases, type Expectation, type RuleCase } from './cases.ts'
import { Coverage } from './coverage.ts'
import type { RuleDocument } from './document.ts'
import { TooMuchWork } from './expression/compile.ts'
import { interpreter } from './expression/interpret.ts'
import type { RuleProblem, Ruleset } from './load-ruleset.ts'
import type { Rule } from './rule.ts'
import { DEFAULT_CONFIDENCE, readVotes, type RuleVote } from './vote.ts'

export interface CaseResult {
  readonly case: RuleCase
  /** What went wrong, or absent when it passed. */
  readonly wrong?: string
}

export interface RuleTestResult {
  readonly rule: string
  readonly cases: readonly CaseResult[]
  /** Branches no case reaches. */
  readonly unreached: readonly string[]
  readonly branches: number
}

export interface RuleTestReport {
  readonly rules: readonly RuleTestResult[]
  /** Of case files. */
  readonly problems: readonly RuleProblem[]
  readonly passed: number
  readonly failed: number
  /** Rules without a case. */
  readonly untested: readonly string[]
}

/** Runs every case of every rule, and says what the cases do not reach. A case passes or fails by its own rule alone. */
export async function testRules(ruleset: Ruleset, analyse?: AnalyseText): Promise<RuleTestReport> {
  const results: RuleTestResult[] = []
  const problems: RuleProblem[] = []
  for (const rule of ruleset.rules) {
    const read = await readCases(ruleset.folder, rule.id)
    problems.push(...read.problems)
    results.push(await testRule(ruleset, rule, read.cases, analyse))
  }
  const all = results.flatMap(({ cases }) => cases)
  const failed = all.filter(({ wrong }) => wrong !== undefined).length
  const untested = results.filter(({ cases }) => cases.length === 0).map(({ rule }) => rule)
  return { rules: results, problems, passed: all.length - failed, failed, untested }
}

async function testRule(ruleset: Ruleset, rule: Rule, cases: readonly RuleCase[], analyse?: AnalyseText): Promise<RuleTestResult> {
  const coverage = new Coverage(rule.expression)
  const evaluate = interpreter(rule.expression, coverage.trace)
  const results: CaseResult[] = []
  for (const each of cases) {
    const document = caseDocument(ruleset.vocabulary, each, analyse)
    const wrong = typeof document === 'string' ? document : await runCase(rule, evaluate, document, each.expect)
    results.push(wrong === undefined ? { case: each } : { case: each, wrong })
  }
  const unreached = coverage.branches.filter(({ reached }) => !reached()).map(({ what }) => what)
  return { rule: rule.id, cases: results, unreached, branches: coverage.branches.length }
}

type Given = readonly RuleVote[] | { readonly failure: string }

async function runCase(rule: Rule, evaluate: (root: unknown) => Promise<unknown>, { root }: RuleDocument, expect: Expectation): Promise<string | undefined> {
  const given = await givenBy(() => evaluate(root))
  const compiled = await compiledAnswer(rule, root)
  // Never expected: the two evaluators are held together by tests of their own. A rule's author should know all the same.
  if (compiled !== undefined && 'failure' in compiled !== 'failure' in given) return 'the compiled rule and JSONata disagree; please report this rule'
  return difference(given, expect)
}

async function compiledAnswer({ compiled }: Rule, root: unknown): Promise<Given | undefined> {
  if (compiled === undefined) return undefined
  try {
    return await givenBy(() => compiled(root))
  } catch {
    return undefined
  }
}

async function givenBy(evaluate: () => unknown): Promise<Given> {
  try {
    const result = await evaluate()
    const votes = readVotes(result === undefined ? undefined : JSON.parse(JSON.stringify(result)))
    return typeof votes === 'string' ? { failure: votes } : votes
  } catch (error) {
    if (error instanceof TooMuchWork) throw error
    const { message } = error as { message?: unknown }
    return { failure: String(message) }
  }
}

function difference(given: Given, expect: Expectation): string | undefined {
  if ('failure' in given) return expect === 'failure' ? undefined : `the rule failed: ${given.failure}`
  if (expect === 'failure') return `the rule did not fail: ${sayVotes(given)}`
  const wanted = expect === 'none' ? [] : expect
  if (given.length !== wanted.length) return `expected ${wanted.length === 0 ? 'no vote' : JSON.stringify(wanted)}, got ${sayVotes(given)}`
  const wrong = wanted.findIndex((vote, i) => !includes(plain(given[i]), vote))
  return wrong < 0 ? undefined : `expected ${JSON.stringify(wanted[wrong])}, got ${sayVotes(given.slice(wrong, wrong + 1))}`
}

/** A vote in the words a rule uses. */
function plain(vote: RuleVote | undefined): Record<string, unknown> {
  if (vote === undefined) return {}
  const { effect, reason, masks, detections = [], approvers, timeoutSeconds, dryRun, limits, exempt } = vote
  return {
    effect,
    reason,
    ...masks.length === 0 ? {} : { columns: Object.fromEntries(masks.map(({ column, method, ...terms }) => [column, Object.keys(terms).length === 0 ? method : { method, ...terms }])) },
    ...detections.length === 0 ? {} : { detect: Object.fromEntries(detections.map(({ entity, method, confidence }) => [entity, confidence === DEFAULT_CONFIDENCE ? method : { method, confidence }])) },
    ...approvers === undefined ? {} : { approvers },
    ...timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds },
    ...limits === undefined ? {} : { limits },
    ...exempt === undefined ? {} : { exempt },
    ...dryRun === undefined ? {} : { 'dry-run': dryRun },
  }
}

function includes(vote: Record<string, unknown>, wanted: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(wanted).every(([key, value]) => isDeepStrictEqual(vote[key], value))
}

function sayVotes(votes: readonly RuleVote[]): string {
  return votes.length === 0 ? 'no vote' : votes.map((vote) => JSON.stringify(plain(vote))).join(', ')
}
