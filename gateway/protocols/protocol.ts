import type { AccessLog, CopyRecord, Directory, FactsDeclaration, Gate, Listener, ProtocolAdapter } from '../../core/index.ts'
import type { RecordingRenderer } from '../../projections/index.ts'
import type { AnalyseText, FolderRuleEngine } from '../../core/rules/index.ts'
import type { Config, PathProblem } from '../config/index.ts'
import type { Log } from '../log.ts'
import type { Secrets } from '../secrets.ts'

/** What an adapter is composed from. */
export interface AdapterParts {
  readonly config: Config
  readonly secrets: Secrets
  readonly gate: Gate
  readonly accessLog: AccessLog
  readonly copies: CopyRecord
  readonly directory: Directory
  readonly engine: FolderRuleEngine
  /** The gateway's own secret; see `gateway-key.ts`. */
  readonly key: Buffer
  readonly log: Log
}

export interface RunningAdapter extends ProtocolAdapter {
  readonly sessions: number
}

/** A protocol as the gateway knows it: one entry of `PROTOCOLS`, a file beside this one. */
export interface Protocol {
  readonly id: string
  readonly facts: FactsDeclaration
  /** Recording encoding → what turns it into text. */
  readonly renderers: Readonly<Record<string, () => Promise<RecordingRenderer>>>
  /** Understands a text without a target at hand: names stay as they are written. For rule tests and explanations. */
  analyser(): Promise<AnalyseText>
  create(parts: AdapterParts): Promise<{ adapter: RunningAdapter; listen: () => Promise<Listener[]> }>
  /** What the configuration refers to and is not there, or not what it should be. Connects to nothing. */
  check(config: Config, secrets: Secrets): Promise<PathProblem[]>
}
