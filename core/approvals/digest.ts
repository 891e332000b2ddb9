import { createHash } from 'node:crypto'
import type { Command, Identity, Target } from '../events/index.ts'

export interface Asked {
  readonly session: string
  /** Id of the `command.received` event: one run of one command. */
  readonly command: string
  readonly asked: Command
  readonly identity: Identity
  readonly target: Target
  readonly ruleset: string
}

/** `sha256:…` over exactly what is asked. Two requests share it only if nothing about them differs. */
export function approvalDigest({ session, command, asked, identity, target, ruleset }: Asked): string {
  const bound = [session, command, asked, identity, target, ruleset]
  return `sha256:${createHash('sha256').update(JSON.stringify(bound)).digest('hex')}`
}
