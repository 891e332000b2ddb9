import { explain, loadRuleset, renderExplanation, renderTestReport, testRules, type RuleInput, type Ruleset } from '../../../core/rules/index.ts'
import { ruleOptions } from '../../container.ts'
import { PROTOCOLS } from '../../protocols/index.ts'
import { readConfig, shortPath } from '../configuration.ts'
import { recordedInput, writtenInput, type ExplainWho } from '../explain-input.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'
import type { Config } from '../../config/index.ts'

export interface RulesOptions {
  readonly config: string
  readonly json?: boolean
}
export interface ExplainOptions extends RulesOptions, ExplainWho {
  readonly event?: string
}

/** Runs the cases beside the rules. Fails when one does; a branch no case reaches is told, not counted. */
export async function testRuleCases(io: CliIo, options: RulesOptions): Promise<void> {
  const ruleset = await readRules(io, await readConfig(io, options.config))
  const report = await testRules(ruleset, await PROTOCOLS[0]?.analyser())
  if (options.json === true) printJson(io, report)
  else print(io, renderTestReport(report).trimEnd())
  if (report.failed > 0 || report.problems.length > 0) throw new CliFailure(EXIT.failed, '')
}

/** Each rule's vote on a command and why: of a text, or of a command that was recorded. */
export async function explainCommand(io: CliIo, text: string | undefined, options: ExplainOptions): Promise<void> {
  const config = await readConfig(io, options.config)
  const ruleset = await readRules(io, config)
  const explanation = await explain(ruleset, await inputOf(io, config, text, options))
  if (options.json === true) printJson(io, explanation)
  else print(io, renderExplanation(explanation).trimEnd())
}

function inputOf(io: CliIo, config: Config, text: string | undefined, options: ExplainOptions): Promise<RuleInput> {
  if (options.event !== undefined && text === undefined) return recordedInput(io, options.config, options.event)
  if (text !== undefined && options.event === undefined) return writtenInput(config, text, options)
  throw new CliFailure(EXIT.usage, 'write either a command or --event ID')
}

async function readRules(io: CliIo, config: Config): Promise<Ruleset> {
  const { folder } = config.rules
  const loaded = await loadRuleset(folder, ruleOptions(config))
  if ('ruleset' in loaded) return loaded.ruleset
  const at = (file: string): string => (file === folder ? shortPath(io, folder) : `${shortPath(io, folder)}/${file}`)
  throw new CliFailure(EXIT.config, loaded.problems.map(({ file, line, message }) => `${at(file)}:${line}: ${message}`).join('\n'))
}
