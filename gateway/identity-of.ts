import type { Identity } from '../core/index.ts'
import type { Config, Person } from './config/index.ts'

/**
 * Who somebody in the configuration is, once proven. An agent that acts for somebody is that somebody,
 * with itself as the actor: what it asks for, its principal cannot approve.
 */
export function identityOf(name: string, { kind, actsFor, groups }: Person): Omit<Identity, 'method'> {
  return { subject: actsFor ?? name, kind, actor: actsFor === undefined ? '' : name, groups: [...groups] }
}

/** Every label name that any target has, for rules: one that a target lacks is empty there. */
export function labelNames({ targets }: Config): string[] {
  return [...new Set(Object.values(targets).flatMap(({ labels }) => Object.keys(labels)))].toSorted()
}
