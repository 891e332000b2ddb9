import { createEnvironmentSource, createFileSource, resolveReferences, type Secret } from '../core/credentials/index.ts'

/** Resolves the references of a configuration; rejects with `CONFIG_INVALID`, naming the reference and never a value. */
export type Secrets = (reference: string) => Promise<Secret>

export function createSecrets(environment: Readonly<Record<string, string | undefined>> = process.env): Secrets {
  const sources = [createEnvironmentSource(environment), createFileSource()]
  return (reference) => resolveReferences(reference, sources)
}

/** What a text of the configuration stands for: its reference resolved, or itself. For what is no secret (a PEM certificate, a URL). */
export async function plainText(secrets: Secrets, written: string): Promise<string> {
  return (await secrets(written)).reveal()
}
