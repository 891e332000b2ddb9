import type { Directory, Principal } from '../core/index.ts'
import type { Config, Person } from './config/index.ts'
import { identityOf } from './identity-of.ts'
import type { Secrets } from './secrets.ts'

/** The people of the configuration, with their verifiers resolved. */
export async function configDirectory(people: Config['people'], secrets: Secrets): Promise<Directory> {
  const principals = new Map<string, Principal>()
  for (const [name, person] of Object.entries(people)) principals.set(name, await principalOf(name, person, secrets))
  return { find: (name) => principals.get(name) }
}

async function principalOf(name: string, person: Person, secrets: Secrets): Promise<Principal> {
  const verifiers: Record<string, string> = {}
  if (person.postgresql !== undefined) verifiers['postgresql'] = await verifierOf(person.postgresql.verifier, secrets)
  return { identity: identityOf(name, person), targets: person.targets, verifiers }
}

/** A verifier is full of `$`, but never of `${`. */
async function verifierOf(written: string, secrets: Secrets): Promise<string> {
  return written.startsWith('${') ? (await secrets(written)).reveal().trim() : written
}
