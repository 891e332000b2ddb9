import type { Outcome } from './combine.ts'
import type { ExplainedCondition, ExplainedRule, Explanation } from './explain.ts'
import type { RuleTestReport, RuleTestResult } from './test-rules.ts'

/** The report of a test run as plain text: what failed first in its rule, what is not reached, then the sum. */
export function renderTestReport(report: RuleTestReport): string {
  const lines = [
    ...report.problems.map(({ file, line, message }) => `${file}:${line}: ${message}`),
    ...report.rules.flatMap(renderRule),
    '',
    summary(report),
  ]
  return `${printable(lines.join('\n'))}\n`
}

function renderRule({ rule, cases, unreached, branches }: RuleTestResult): string[] {
  const passed = cases.filter(({ wrong }) => wrong === undefined).length
  const mark = cases.length === 0 ? '?' : passed === cases.length ? '✓' : '✗'
  return [
    `${mark} ${rule}: ${cases.length === 0 ? 'no cases' : `${passed} of ${plural(cases.length, 'case')}`}, ${branches - unreached.length} of ${plural(branches, 'branch')} reached`,
    ...cases.flatMap(({ case: { name, file, line }, wrong }) => (wrong === undefined ? [] : [`    ✗ ${name}`, `      ${file}:${line}: ${wrong}`])),
    ...unreached.map((what) => `    not reached: ${what}`),
  ]
}

function summary({ passed, failed, untested, problems, rules }: RuleTestReport): string {
  const unreached = rules.reduce((sum, rule) => sum + rule.unreached.length, 0)
  return [
    `${plural(rules.length, 'rule')}, ${plural(passed + failed, 'case')}: ${passed} passed, ${failed} failed`,
    ...untested.length === 0 ? [] : [`${plural(untested.length, 'rule')} without cases`],
    ...unreached === 0 ? [] : [`${plural(unreached, 'branch')} not reached`],
    ...problems.length === 0 ? [] : [plural(problems.length, 'problem')],
  ].join('; ')
}

function plural(count: number, word: string): string {
  return `${count} ${count === 1 ? word : word === 'branch' ? 'branches' : `${word}s`}`
}

/** An explanation as plain text: the verdict, then the rules that voted with their reasons, then those that did not. */
export function renderExplanation({ verdict, rules }: Explanation): string {
  const voted = rules.filter(({ outcome }) => 'failure' in outcome || outcome.votes.length > 0)
  const silent = rules.filter((rule) => !voted.includes(rule))
  const lines = [
    `${verdict.effect} (by ${verdict.by}): ${verdict.reason}`,
    ...verdict.obligations.masks.map(({ column, method, ...terms }) => `  mask ${column}: ${[method, ...Object.entries(terms).map(([name, value]) => `${name} ${value}`)].join(', ')}`),
    ...(verdict.obligations.detections ?? []).map(({ entity, method, confidence }) => `  detect ${entity === '*' ? 'every entity not named' : entity}: ${method}, from confidence ${confidence}`),
    ...(verdict.obligations.exemptions ?? []).map(({ column, by, reason }) => `  exempt ${column}: by ${by}, ${reason}`),
    ...Object.entries(verdict.obligations.limits ?? {}).map(([name, value]) => `  limit ${name}: ${value}`),
    ...verdict.obligations.approval === undefined ? [] : [`  approval by ${verdict.obligations.approval.approvers.join(' or ')} within ${verdict.obligations.approval.timeoutSeconds} s${verdict.obligations.approval.dryRun === true ? ', with a dry run' : ''}`],
    ...section('Voted', voted),
    ...section('Had nothing to say', silent),
    '',
    `ruleset ${verdict.ruleset}`,
  ]
  return `${printable(lines.join('\n'))}\n`
}

function section(title: string, rules: readonly ExplainedRule[]): string[] {
  return rules.length === 0 ? [] : ['', `${title}:`, ...rules.flatMap(explainedRule)]
}

function explainedRule({ rule, doc, outcome, conditions }: ExplainedRule): string[] {
  return [`  ${rule}: ${said(outcome)}`, `    ${doc}`, ...conditions.map(renderCondition)]
}

function said(outcome: Outcome): string {
  if ('failure' in outcome) return `failed, which blocks: ${outcome.failure}`
  if (outcome.votes.length === 0) return 'no vote'
  return outcome.votes.map(({ effect, reason }) => `${effect}: ${reason}`).join('; ')
}

function renderCondition({ text, value, read }: ExplainedCondition): string {
  const mark = value === undefined ? '· not asked' : value ? '✓ true     ' : '✗ false    '
  const values = Object.entries(read).map(([path, shown]) => `${path} is ${shown}`).join(', ')
  return `    ${mark} ${text}${values === '' || value === undefined ? '' : `   (${values})`}`
}

/** Nothing a peer wrote may steer the terminal: everything but line feeds of our own is made visible. */
function printable(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (each) => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
}
