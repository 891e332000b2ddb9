import type { Identity } from '../events/index.ts'

/** Somebody who may knock: what is known of them before they prove it. */
export interface Principal {
  readonly identity: Omit<Identity, 'method'>
  /** Names of the targets they may reach; `undefined`: all. Rules still decide on every command. */
  readonly targets: readonly string[] | undefined
  /** What verifies them, by protocol: for `postgresql` a SCRAM-SHA-256 verifier. Never a secret in the clear. */
  readonly verifiers: Readonly<Record<string, string>>
}

/** Who is who. The configuration file is one; identity providers will be others. */
export interface Directory {
  find(name: string): Principal | undefined
}
