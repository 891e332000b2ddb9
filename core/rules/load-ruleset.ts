import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { RulesetLoaded, RulesetRefused } from '../events/index.ts'
import { inputType, type InputVocabulary } from './input-schema.ts'
import { readRule, type Rule } from './rule.ts'

export type RuleProblem = RulesetRefused['problems'][number]

/** A folder of rules, each checked. */
export interface Ruleset {
  readonly folder: string
  /** `sha256:…` over the ids and sources of all rules and the default. */
  readonly digest: string
  readonly default: 'allow' | 'block'
  readonly approval: { readonly approvers: readonly string[]; readonly timeoutSeconds: number }
  readonly vocabulary: InputVocabulary
  /** By id. */
  readonly rules: readonly Rule[]
}

export interface RulesetOptions extends InputVocabulary {
  /** What becomes of a command for which no rule votes. */
  readonly default: 'allow' | 'block'
  /** Terms of `await-approval` votes that name none. */
  readonly approval: { readonly approvers: readonly string[]; readonly timeoutSeconds: number }
}

export const MAX_RULES = 5_000
export const MAX_RULE_BYTES = 65_536

/**
 * Reads every `NAME.jsonata` of a folder. All problems at once, each with its file, line (from 1) and what to write
 * instead; a folder with a problem gives no ruleset. Never rejects.
 */
export async function loadRuleset(folder: string, options: RulesetOptions): Promise<{ ruleset: Ruleset } | { problems: RuleProblem[] }> {
  const listed = await list(folder)
  if (!Array.isArray(listed)) return { problems: [listed] }
  const type = inputType(options)
  const rules: Rule[] = []
  const problems: RuleProblem[] = []
  for (const file of listed) {
    const source = await readSource(folder, file)
    const read = typeof source === 'string' ? readRule(file, source, type) : source
    if ('problem' in read) problems.push({ file, ...read.problem })
    else rules.push(read.rule)
  }
  return problems.length > 0 ? { problems } : { ruleset: assemble(folder, rules, options) }
}

async function list(folder: string): Promise<string[] | RuleProblem> {
  try {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.jsonata') && !name.startsWith('.')).toSorted()
    if (names.length <= MAX_RULES) return names
    return { file: folder, line: 1, message: `${names.length} rules; a folder holds at most ${MAX_RULES}` }
  } catch (error) {
    return { file: folder, line: 1, message: `the rules folder cannot be read: ${messageOf(error)}` }
  }
}

async function readSource(folder: string, file: string): Promise<string | { problem: { line: number; message: string } }> {
  const path = join(folder, file)
  try {
    const { size } = await stat(path)
    if (size > MAX_RULE_BYTES) return { problem: { line: 1, message: `a rule has at most ${MAX_RULE_BYTES} bytes; split it` } }
    return await readFile(path, 'utf8')
  } catch (error) {
    return { problem: { line: 1, message: `cannot be read: ${messageOf(error)}` } }
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function assemble(folder: string, rules: Rule[], options: RulesetOptions): Ruleset {
  const { default: fallback, approval, facts, labels } = options
  const digest = sha256(JSON.stringify([fallback, rules.map(({ id, source }) => [id, source])]))
  return { folder, digest, default: fallback, approval, vocabulary: { facts, labels }, rules }
}

export function sha256(text: string): string {
  return `sha256:${createHash('sha256').update(text).digest('hex')}`
}

/** The event that says which rules are in force. */
export function rulesetLoaded(ruleset: Ruleset): RulesetLoaded {
  const rules = ruleset.rules.map(({ id, source }) => ({ id, digest: sha256(source), source }))
  return { digest: ruleset.digest, default: ruleset.default, rules }
}
