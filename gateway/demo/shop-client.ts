import pg from 'pg'
import { display } from '../../adapters/postgresql/transcript/display.ts'
import { isNumber } from '../../adapters/postgresql/transcript/value-text.ts'
import { writeTable } from '../../adapters/postgresql/transcript/aligned-table.ts'
import { TranscriptOutput } from '../../adapters/postgresql/transcript/transcript-output.ts'

const MAX_CHARACTERS = 100_000

export interface Login {
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
  readonly database: string
}

/** What came back for one statement, as text. */
export interface Answer {
  /** As psql prints it. */
  readonly text: string
  readonly rows: readonly (readonly (string | null)[])[]
  /** `UPDATE 1`; empty after an error. */
  readonly tag: string
  /** SQLSTATE; empty when all went well. */
  readonly code: string
}

/** A real PostgreSQL client, node-postgres, that shows what it gets as psql does. */
export class ShopClient {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(login: Login): Promise<ShopClient> {
    const client = new pg.Client({ ...login, application_name: 'sallyport-demo', connectionTimeoutMillis: 10_000 })
    // A connection that breaks is reported by the statement that needed it.
    client.on('error', () => {})
    await client.connect()
    return new ShopClient(client)
  }

  async ask(sql: string): Promise<Answer> {
    try {
      const result = await this.#client.query<(string | null)[]>({ text: sql, rowMode: 'array', types: { getTypeParser: () => (value: string) => value } })
      const tag = [result.command, result.rowCount ?? ''].join(' ').trim()
      return { text: result.fields.length === 0 ? tag : table(result), rows: result.rows, tag, code: '' }
    } catch (error) {
      if (!(error instanceof pg.DatabaseError)) throw error
      return { text: report(error), rows: [], tag: '', code: error.code ?? '' }
    }
  }

  /** Calls back with every notice as psql prints it. */
  onNotice(callback: (text: string) => void): void {
    this.#client.on('notice', (notice) => { callback(report(notice)) })
  }

  close(): Promise<void> {
    return this.#client.end()
  }
}

function table({ fields, rows }: pg.QueryArrayResult<(string | null)[]>): string {
  const output = new TranscriptOutput(MAX_CHARACTERS)
  writeTable(fields.map(({ name, dataTypeID }) => ({ title: display(name), right: isNumber(dataTypeID) })), rows.map((row) => row.map((cell) => display(cell ?? ''))), output)
  return `${output.take()}(${rows.length} row${rows.length === 1 ? '' : 's'})`
}

interface Report { readonly severity?: string | undefined; readonly message?: string | undefined; readonly detail?: string | undefined; readonly hint?: string | undefined }

function report({ severity = 'ERROR', message = '', detail, hint }: Report): string {
  const parts = [[severity, message], ['DETAIL', detail], ['HINT', hint]] as const
  return parts.flatMap(([name, text]) => (text === undefined ? [] : [`${name}:  ${display(text)}`])).join('\n')
}
