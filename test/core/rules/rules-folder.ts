import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder of rules on disk for one test; `write` adds or replaces rules, given as id → body without doc comment. */
export interface RulesFolder extends AsyncDisposable {
  readonly path: string
  write(rules: Readonly<Record<string, string>>): Promise<void>
  writeFile(name: string, text: string): Promise<void>
  remove(id: string): Promise<void>
}

export async function rulesFolder(rules: Readonly<Record<string, string>> = {}): Promise<RulesFolder> {
  const path = await mkdtemp(join(tmpdir(), 'sallyport-rules-'))
  const folder: RulesFolder = {
    path,
    write: async (bodies) => {
      await Promise.all(Object.entries(bodies).map(([id, body]) => writeFile(join(path, `${id}.jsonata`), `/* ${id}. */\n${body}\n`)))
    },
    writeFile: (name, text) => writeFile(join(path, name), text),
    remove: (id) => rm(join(path, `${id}.jsonata`)),
    [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }),
  }
  await folder.write(rules)
  return folder
}
