import { mintToken } from '../../api/index.ts'
import { print, printJson, type CliIo } from '../io.ts'

/** Makes an API token. It is shown once; the configuration holds only its digest. */
export function token(io: CliIo, { json }: { json?: boolean }): void {
  const { token: minted, digest } = mintToken()
  if (json === true) return printJson(io, { token: minted, digest })
  print(io, `the token, for the reviewer (shown once):
  ${minted}

in the configuration, under people.NAME:
  api: { token: "${digest}" }

the reviewer sets SALLYPORT_TOKEN to it, or keeps it in ~/.config/sallyport/token`)
}
