import { Argument, Command, Option } from 'commander'
import { EFFECTS } from '../../core/index.ts'
import { VERSION } from '../package-root.ts'
import type { CliIo } from './io.ts'
import type { IssueOptions } from './commands/grants.ts'
import { configOption, jsonOption, lasting, limitOption, moment } from './options.ts'

/**
 * Every command of the CLI. Their implementations are loaded when they are called, so that `--help` is instant and a
 * command needs only what it uses.
 */
export function createProgram(io: CliIo): Command {
  const program = new Command('sallyport')
    .description('A layer-7 access gateway for AI agents and engineers: every command decided, recorded, masked or held.')
    .version(VERSION)
    .configureOutput({ writeOut: (text) => { io.stdout.write(text) }, writeErr: (text) => { io.stderr.write(text) } })
    .configureHelp({ sortSubcommands: false, helpWidth: 100 })
    .showHelpAfterError('(--help shows how)')
    .exitOverride()
    .addHelpText('after', `
Begin with:
  $ sallyport init          write a commented sallyport.yaml and sample rules
  $ sallyport check         say what is wrong with them
  $ sallyport serve         start

Exit status: 0 done, 1 the answer is no, 2 wrong usage, 3 wrong configuration or rules, 4 nothing to talk to.`)
  setUp(program, io)
  run(program, io)
  decide(program, io)
  look(program, io)
  return program
}

function setUp(program: Command, io: CliIo): void {
  command(program, 'init', 'write a commented configuration and sample rules')
    .action(async (options: { config: string; json?: boolean }) => (await import('./commands/init.ts')).init(io, options))
  command(program, 'check', 'check configuration, secrets and rules without starting')
    .option('--no-secrets', 'do not look whether what ${env:…} and ${file:…} name is there')
    .addHelpText('after', examples('sallyport check', 'sallyport check --no-secrets --json    in a pipeline that has no secrets'))
    .action(async (options: { config: string; json?: boolean; secrets: boolean }) => (await import('./commands/check.ts')).check(io, options))
  command(program, 'classify', 'propose data classes for the columns of a target')
    .argument('<target>').option('--no-sample', 'judge by names and types alone').option('--database <name>', 'another database of its server')
    .addHelpText('after', examples('sallyport classify shop', 'sallyport classify shop --no-sample --json'))
    .action(async (target: string, options: { config: string; json?: boolean; sample: boolean; database?: string }) => (await import('./commands/classify.ts')).classify(io, target, options))
  program.command('password').description('read a password and print the verifier for the configuration')
    .addOption(jsonOption())
    .addHelpText('after', examples('sallyport password', 'pass show ada | sallyport password'))
    .action(async (options: { json?: boolean }) => (await import('./commands/password.ts')).password(io, options))
  program.command('token').description('make an API token for a reviewer; printed once')
    .addOption(jsonOption())
    .action(async (options: { json?: boolean }) => (await import('./commands/token.ts')).token(io, options))
}

function run(program: Command, io: CliIo): void {
  command(program, 'serve', 'run the gateway; SIGTERM and SIGINT stop it, SIGHUP reloads the rules')
    .addOption(new Option('--log-level <level>', 'what to log to stderr, as JSON').choices(['debug', 'info', 'warn', 'error']).default('warn'))
    .action(async (options: { config: string; json?: boolean; logLevel: 'info' }) => (await import('./commands/serve.ts')).serve(io, options))
}

function decide(program: Command, io: CliIo): void {
  const rules = program.command('rules').description('test rules, or ask them why')
  command(rules, 'test', 'run the cases beside the rules; says which branches no case reaches')
    .action(async (options: { config: string; json?: boolean }) => (await import('./commands/rules.ts')).testRuleCases(io, options))
  command(rules, 'explain', "each rule's vote on a command, and why")
    .addArgument(new Argument('[text]', 'the command'))
    .option('--event <id>', 'a command that was recorded, by its event id (or the id its client was told)')
    .option('--as <name>', 'who gives the command')
    .option('--target <name>', 'where')
    .addHelpText('after', examples('sallyport rules explain --as ada --target shop "DELETE FROM orders"', 'sallyport rules explain --event 5f0c1c6e'))
    .action(async (text: string | undefined, options: { config: string }) => (await import('./commands/rules.ts')).explainCommand(io, text, options))
  approvals(program, io)
  grants(program, io)
}

function approvals(program: Command, io: CliIo): void {
  const group = program.command('approvals').description('answer what is held, at a running gateway')
    .addHelpText('after', `
The token comes from --token-file, SALLYPORT_TOKEN or ~/.config/sallyport/token.\n${examples('sallyport approvals list', 'sallyport approvals approve k3x9q2 --comment "checked with finance"', 'sallyport approvals deny k3x9q2 --yes')}`)
  const reviewing = (name: string, description: string): Command => command(group, name, description).option('--token-file <file>', 'where your API token is')
  reviewing('list', 'what waits for an answer')
    .action(async (options: { config: string }) => (await import('./commands/approvals.ts')).listApprovals(io, options))
  reviewing('show', 'exactly what is asked').argument('<id>')
    .action(async (id: string, options: { config: string }) => (await import('./commands/approvals.ts')).showApproval(io, id, options))
  for (const word of ['approve', 'deny'] as const) {
    reviewing(word, word === 'approve' ? 'let it run, once' : 'refuse it').argument('<id>')
      .option('-m, --comment <text>', 'recorded, and shown to whoever asked')
      .option('-y, --yes', 'do not show it and ask again')
      .option('--digest <sha256:…>', 'answer only if this is still what is asked')
      .action(async (id: string, options: { config: string }) => (await import('./commands/approvals.ts')).answerApproval(io, word, id, options))
  }
}

function grants(program: Command, io: CliIo): void {
  const group = program.command('grants').description('show somebody masked columns for a while, at a running gateway')
    .addHelpText('after', `
The token comes from --token-file, SALLYPORT_TOKEN or ~/.config/sallyport/token.\n${examples('sallyport grants issue --to ada --target shop --columns class:pii.email,public.people.phone --for 1h --reason "ticket 42"', 'sallyport grants list', 'sallyport grants revoke k3x9q2 --reason "done"')}`)
  const giving = (name: string, description: string): Command => command(group, name, description).option('--token-file <file>', 'where your API token is')
  giving('issue', 'give one; a second person has to')
    .requiredOption('--to <name>', 'whom it is for').requiredOption('--target <name>', 'where')
    .addOption(new Option('--columns <list>', 'schema.table.column or class:NAME, with commas between them').makeOptionMandatory().argParser((list) => list.split(',')))
    .addOption(new Option('--for <time>', '30m, 2h').makeOptionMandatory().argParser(lasting))
    .requiredOption('--reason <text>', 'recorded with every command that uses it')
    .option('--task <task>', 'only for sessions that claim it (PGOPTIONS="-c sallyport.task=…")')
    .action(async (options: IssueOptions) => (await import('./commands/grants.ts')).issueGrant(io, options))
  giving('list', 'what is in force')
    .action(async (options: { config: string }) => (await import('./commands/grants.ts')).listGrants(io, options))
  giving('show', 'one of them').argument('<id>')
    .action(async (id: string, options: { config: string }) => (await import('./commands/grants.ts')).showGrant(io, id, options))
  giving('revoke', 'end it; the next command is masked again').argument('<id>').requiredOption('--reason <text>', 'recorded')
    .action(async (id: string, options: { config: string; reason: string }) => (await import('./commands/grants.ts')).revokeGrant(io, id, options))
}

function look(program: Command, io: CliIo): void {
  command(program, 'audit', 'who did what: every command, its decision and its outcome')
    .option('--person <name>', 'by this person or agent').option('--target <name>', 'on this target')
    .addOption(new Option('--effect <effect>', 'decided so').choices(EFFECTS))
    .option('--rule <id>', 'this rule voted').option('--session <id>', 'in this session (the beginning of its id is enough)')
    .option('--kind <kind>', 'command, access.refused, session.opened, ruleset.loaded, …')
    .option('--event <id>', 'this command, by its event id or the id its client was told')
    .option('--grant <id>', 'it was given, it was revoked, or this command used it')
    .option('--text <words>', 'all these words occur; custom* is a beginning')
    .addOption(new Option('--since <time>', '15m, 2h, 7d (ago), 2026-11-21 or 2026-11-21T09:30Z').argParser(moment))
    .addOption(new Option('--until <time>', 'the same').argParser(moment))
    .addOption(limitOption(100)).option('--full', 'everything about each')
    .addHelpText('after', examples('sallyport audit --since 1h --effect block', 'sallyport audit --person ada --text "customers email"', 'sallyport audit --event 5f0c1c6e', 'sallyport audit --json --limit 1000 | jq .text'))
    .action(async (options: { config: string }) => (await import('./commands/audit.ts')).audit(io, options))
  command(program, 'sessions', 'who was connected to what')
    .option('--person <name>', 'of this person or agent').option('--target <name>', 'to this target')
    .option('--open', 'only those that are still open').addOption(limitOption(50))
    .action(async (options: { config: string }) => (await import('./commands/sessions.ts')).sessions(io, options))
  command(program, 'replay', 'a session as its client saw it').argument('<session>', 'its id, or the beginning of it')
    .option('--timed', 'in the time it took')
    .addOption(new Option('--speed <factor>', 'with --timed: this much faster').default(1).argParser(speed))
    .addHelpText('after', examples('sallyport replay 5f0c1c6e', 'sallyport replay 5f0c1c6e --timed --speed 10'))
    .action(async (session: string, options: { config: string }) => (await import('./commands/replay.ts')).replay(io, session, options))
  const projections = program.command('projections').description('the read models behind audit, sessions and replay')
  command(projections, 'rebuild', 'throw them away and build them again from the event store')
    .action(async (options: { config: string; json?: boolean }) => (await import('./commands/projections.ts')).rebuildProjections(io, options))
}

function command(parent: Command, name: string, description: string): Command {
  return parent.command(name).description(description).addOption(configOption()).addOption(jsonOption())
}

function speed(written: string): number {
  const factor = Number(written)
  return factor >= 0.01 && factor <= 1000 ? factor : 1
}

function examples(...lines: readonly string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`
}
