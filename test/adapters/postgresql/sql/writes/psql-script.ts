/** PostgreSQL's regression tests are scripts for psql: this splits them as psql does, as far as they need it. */
import { endOf, withoutComments } from '../../../../../adapters/postgresql/sql/comments.ts'

export interface ScriptStatement {
  readonly text: string
  /** What COPY … FROM STDIN gets. */
  readonly data: string
  /** `\gset`, `\gexec` and the like, with what follows. */
  readonly next: string
}

/** What `\set` and `\gset` leave for later; the script is read as it runs. */
export type Variables = Map<string, string>

export function* scriptStatements(script: string, variables: Variables): Generator<ScriptStatement> {
  const reader = new Reader(script, variables)
  for (let next = reader.next(); next !== undefined; next = reader.next()) yield next
}

class Reader {
  readonly #script: string
  readonly #variables: Variables
  #at = 0

  constructor(script: string, variables: Variables) {
    this.#script = script
    this.#variables = variables
  }

  next(): ScriptStatement | undefined {
    let text = ''
    let depth = 0
    let blocks = 0
    while (this.#at < this.#script.length) {
      const token = this.#token()
      if (token === '\\' && this.#script[this.#at] === ';') {
        this.#at++
        text += ';'
        continue
      }
      if (token === '\\') {
        const command = this.#line()
        if (command.startsWith('g') && text.trim() !== '') return { text, data: '', next: command }
        this.#meta(command)
        continue
      }
      if (token === '(') depth++
      if (token === ')') depth--
      if (/^atomic$/i.test(token) && /\bbegin\s+$/i.test(text)) blocks++
      else if (blocks > 0 && /^case$/i.test(token)) blocks++
      else if (blocks > 0 && /^end$/i.test(token)) blocks--
      if (token === ';' && depth <= 0 && blocks === 0) return this.#ended(text)
      text += token
    }
    return text.trim() === '' ? undefined : { text, data: '', next: '' }
  }

  #token(): string {
    const at = this.#at
    const variable = /^:(?:'(\w+)'|"(\w+)"|([A-Za-z_]\w*))/.exec(this.#script.slice(at, at + 80))
    const [whole = '', quoted, identifier, bare] = variable ?? []
    const value = this.#variables.get(quoted ?? identifier ?? bare ?? '')
    if (value !== undefined && this.#script[at - 1] !== ':') {
      this.#at += whole.length
      return quoted === undefined ? (identifier === undefined ? value : `"${value}"`) : `'${value.replaceAll("'", "''")}'`
    }
    this.#at = endOf(this.#script, at) ?? this.#script.length
    return this.#script.slice(at, this.#at)
  }

  #line(): string {
    const end = this.#script.indexOf('\n', this.#at)
    const line = this.#script.slice(this.#at, end < 0 ? undefined : end)
    this.#at += line.length
    return line.trim()
  }

  #meta(command: string): void {
    const [name, variable = '', ...parts] = command.split(/\s+/)
    if (name === 'getenv') this.#variables.set(variable, process.env[parts[0] ?? ''] ?? '')
    if (name === 'set') this.#variables.set(variable, parts.map((part) => this.#expanded(part)).join(''))
  }

  #expanded(part: string): string {
    if (part.startsWith(':')) return this.#variables.get(part.slice(1).replaceAll(/^'|'$/g, '')) ?? part
    return part.replace(/^'([^]*)'$/, '$1')
  }

  #ended(text: string): ScriptStatement {
    const data = /^\s*copy\b[^]*\bfrom\s+stdin\b/i.test(withoutComments(text) ?? text) ? this.#copyData() : ''
    return { text, data, next: '' }
  }

  #copyData(): string {
    this.#line()
    const from = this.#at + 1
    const end = this.#script.indexOf('\n\\.\n', from - 1)
    if (end < 0) return ''
    this.#at = end + 3
    return this.#script.slice(from, end + 1)
  }
}
