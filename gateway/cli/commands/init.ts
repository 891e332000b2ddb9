import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { PACKAGE_ROOT } from '../../package-root.ts'
import { CONFIG_TEMPLATE } from '../config-template.ts'
import { shortPath } from '../configuration.ts'
import { CliFailure, EXIT, print, printJson, type CliIo } from '../io.ts'

/** Writes a commented configuration and, if there is no rules folder yet, the sample rules beside it. Overwrites nothing. */
export async function init(io: CliIo, { config, json }: { config: string; json?: boolean }): Promise<void> {
  const path = resolve(io.cwd, config)
  if (existsSync(path)) throw new CliFailure(EXIT.failed, `${shortPath(io, path)} is already there and stays as it is; --config names another`)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, CONFIG_TEMPLATE, { flag: 'wx' })
  const rules = join(dirname(path), 'rules')
  const copied = copySamples(rules)
  if (json === true) return printJson(io, { config: path, rules, sampleRules: copied })
  print(io, `wrote ${shortPath(io, path)}${copied === 0 ? '' : ` and ${copied} sample rules in ${shortPath(io, rules)}`}

next:
  1. describe your target in it, and set the password it refers to:  export SHOP_PASSWORD=...
  2. give ada a way to log in:                                       sallyport password
  3. give grace a way to approve:                                    sallyport token
  4. sallyport check && sallyport serve`)
}

function copySamples(rules: string): number {
  const samples = fileURLToPath(new URL('rules/', PACKAGE_ROOT))
  if (existsSync(rules) || !existsSync(samples)) return 0
  cpSync(samples, rules, { recursive: true, errorOnExist: true, force: false })
  return readdirSync(rules).filter((file) => file.endsWith('.jsonata')).length
}
