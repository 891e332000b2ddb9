/** Runs statements against a real server the way a session would: masks each value by its column's origin, and by its place. */
import pg from 'pg'
import { isHidden } from '../../../../adapters/postgresql/masked-result.ts'
import { Catalogue, originKey, type MaskedOrigins, type ResultMask } from '../../../../adapters/postgresql/sql/index.ts'
import type { PostgresServer } from '../../../support/postgres-server.ts'

export interface Answer {
  /** Every value the client would see, and the error's texts. */
  readonly text: string
  readonly error: string
  /** Per result, the origin key of each field; 0 for none. */
  readonly origins: readonly (readonly number[])[]
}

/** Every value as the server sent it. */
const AS_TEXT = { getTypeParser: () => (value: string) => value }

export class Shop {
  readonly client: pg.Client

  constructor(server: PostgresServer, database: string) {
    this.client = new pg.Client({ host: server.host, port: server.port, user: server.user, password: server.password, database })
  }

  async rows(text: string): Promise<(string | null)[][]> {
    const result = await this.client.query<(string | null)[]>({ text, rowMode: 'array', types: AS_TEXT as never })
    return result.rows
  }

  catalogue(): Promise<Catalogue> {
    return Catalogue.load((sql) => this.rows(sql))
  }

  /** Runs one text in a transaction that is rolled back. `results` are those of its plan. */
  async run(text: string, origins: MaskedOrigins, planned: readonly ResultMask[] = []): Promise<Answer> {
    await this.client.query('BEGIN')
    try {
      const answer = await this.client.query({ text, rowMode: 'array', types: AS_TEXT as never })
      const results = (Array.isArray(answer) ? answer : [answer]) as pg.QueryArrayResult<unknown[]>[]
      const keys = results.map(({ fields }) => fields.map(({ tableID, columnID }) => (tableID === 0 ? 0 : originKey(tableID, columnID))))
      return { text: results.map((result, index) => masked(result, keys[index] ?? [], origins, planned[index])).join('\n'), error: '', origins: keys }
    } catch (error) {
      const { message } = error as Error
      return { text: message, error: message, origins: [] }
    } finally {
      await this.client.query('ROLLBACK')
    }
  }
}

function masked({ rows, fields }: pg.QueryArrayResult<unknown[]>, keys: readonly number[], origins: MaskedOrigins, planned: ResultMask = { kind: 'origins' }): string {
  const hidden = fields.map(({ tableID: table, columnID: attribute }, index) => origins.has(keys[index] ?? 0) || isHidden({ table, attribute }, index, fields.length, planned))
  return rows.map((row) => row.map((value, index) => (hidden[index] === true ? '***' : String(value))).join('|')).join('\n')
}
