import { SallyportError } from '../../../core/index.ts'
import type { Config } from '../../config/index.ts'
import { aboutError, createLog, type Log } from '../../log.ts'
import { VERSION } from '../../package-root.ts'
import { startGateway, type RunningGateway } from '../../serve.ts'
import { readWholeConfig, shortPath } from '../configuration.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'

export interface ServeCommandOptions {
  readonly config: string
  readonly json?: boolean
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error'
}

/** Runs the gateway until it is asked to end: SIGTERM or SIGINT stop it, SIGHUP reloads its rules. */
export async function serve(io: CliIo, options: ServeCommandOptions): Promise<void> {
  const config = await readWholeConfig(io, options.config)
  const log = createLog({ level: options.logLevel, destination: { write: (line) => { io.stderr.write(line) } } })
  const gateway = await start(config, io, log)
  if (options.json === true) printJson(io, { listeners: gateway.listeners, api: gateway.api, ruleset: gateway.ruleset, version: VERSION, pid: process.pid })
  else print(io, banner(io, config, gateway))
  const stopListening = io.onHangup(() => { gateway.reloadRules().catch((error: unknown) => log.error(aboutError(error), 'reload')) })
  const reason = await interrupted(io.interrupted)
  stopListening()
  log.info({ reason }, 'stopping')
  await gateway.stop(reason)
  if (options.json !== true) print(io, 'stopped')
}

async function start(config: Config, io: CliIo, log: Log): Promise<RunningGateway> {
  try {
    return await startGateway(config, { log, environment: io.env })
  } catch (error) {
    if (!(error instanceof SallyportError)) throw error
    const broken = error.code === 'CONFIG_INVALID' || error.code === 'RULES_INVALID'
    throw new CliFailure(broken ? EXIT.config : EXIT.unavailable, `${error.message} [${error.code}]`)
  }
}

function interrupted(signal: AbortSignal): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>()
  const heard = (): void => resolve(String(signal.reason))
  if (signal.aborted) heard()
  signal.addEventListener('abort', heard, { once: true })
  return promise
}

function banner(io: CliIo, config: Config, { listeners, api, ruleset }: RunningGateway): string {
  const { store, rules, audit, targets } = config
  const record = store.embedded === undefined ? (store.memory === undefined ? 'EventStoreDB' : 'memory: gone when the gateway ends') : shortPath(io, store.embedded.path)
  const [first] = listeners
  const [target = 'TARGET'] = Object.keys(targets)
  return [
    `sallyport ${VERSION} as ${config.gateway.name}`,
    `  rules       ${ruleset.rules} in ${shortPath(io, rules.folder)}, otherwise ${rules.default} (${ruleset.digest.slice(0, 19)}…)`,
    `  record      ${record} (${audit})`,
    ...listeners.map(({ protocol, host, port }, index) => `  ${protocol.padEnd(11)} ${host}:${port} → ${config.listeners[index]?.target ?? Object.keys(targets).join(', ')}`),
    `  approvals   ${api}`,
    first === undefined ? '' : `connect with  psql "host=${first.host} port=${first.port} user=NAME dbname=${target}"`,
    'stop with     Ctrl-C',
  ].filter((line) => line !== '').join('\n')
}
