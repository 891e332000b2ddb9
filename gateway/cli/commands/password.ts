import { createVerifier } from '../../../adapters/postgresql/auth/scram-verifier.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'
import { readSecretLine } from '../read-secret-line.ts'

/** Reads a password and prints the verifier that stands for it. The password is kept nowhere. */
export async function password(io: CliIo, { json }: { json?: boolean }): Promise<void> {
  const first = await readSecretLine(io, 'password: ')
  if (first === '') throw new CliFailure(EXIT.usage, 'the password is empty')
  if (io.stdin.isTTY === true && (await readSecretLine(io, 'again: ')) !== first) throw new CliFailure(EXIT.usage, 'the two are not the same')
  const verifier = await createVerifier(first)
  if (json === true) return printJson(io, { verifier })
  if (io.stdin.isTTY === true) io.stderr.write('in the configuration, under people.NAME:\n')
  print(io, `postgresql: { verifier: "${verifier}" }`)
}
