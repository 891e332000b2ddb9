import type { UpstreamOptions } from '../auth/connect-upstream.ts'
import { UpstreamError } from '../auth/upstream-error.ts'
import type { Route } from '../target.ts'
import { catalogueQuestions, textParameters, type AskCatalogue } from './catalogue-questions.ts'
import { QuestionConnection, type Answer, type Bound } from './question-connection.ts'
import { sessionSettings, startupParameters, type SessionState } from './session-state.ts'

/** Waiting for a lock is not worth it: whoever holds it may hold it long, and others would wait behind us. */
const LOCK_TIMEOUT_MS = 200

export interface PreviewConnectionOptions {
  readonly route: Route
  readonly session: SessionState
  readonly signal: AbortSignal
  /** Of one question. */
  readonly statementTimeoutMs: number
}

/**
 * A connection of the gateway's own that stands in for a session, for one transaction that is never committed. First it
 * asks the catalogue in its own name, then it takes on the session's role, search path and settings.
 */
export class PreviewConnection {
  readonly catalogue: AskCatalogue
  readonly #connection: QuestionConnection
  readonly #o: PreviewConnectionOptions

  /** `read`: PostgreSQL itself refuses to write. Rejects with `UpstreamError`. */
  static async open(options: PreviewConnectionOptions, access: 'read' | 'write'): Promise<PreviewConnection> {
    const connection = await QuestionConnection.open(upstream(options))
    const preview = new PreviewConnection(connection, options)
    try {
      await connection.ask(access === 'read' ? 'BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY' : 'BEGIN ISOLATION LEVEL READ COMMITTED, READ WRITE')
      await preview.#set([
        ['statement_timeout', String(options.statementTimeoutMs)], ['lock_timeout', String(LOCK_TIMEOUT_MS)],
        ['idle_in_transaction_session_timeout', String(options.statementTimeoutMs * 2)], ['search_path', 'pg_catalog'],
      ])
      return preview
    } catch (error) {
      connection.close()
      throw error
    }
  }

  private constructor(connection: QuestionConnection, options: PreviewConnectionOptions) {
    this.#connection = connection
    this.#o = options
    this.catalogue = catalogueQuestions(connection)
  }

  /** From here on it acts as the session would. */
  async becomeSession(): Promise<void> {
    await this.#set(sessionSettings(this.#o.session, this.#o.route.target.user))
  }

  ask(sql: string, bound?: Bound): Promise<Answer> {
    return this.#connection.ask(sql, bound)
  }

  parameterTypes(sql: string, types: readonly number[]): Promise<readonly number[]> {
    return this.#connection.parameterTypes(sql, types)
  }

  /** Asks; what the target refuses undoes nothing that was done before. */
  async attempt<T>(work: () => Promise<T>): Promise<T | Refusal> {
    await this.#connection.ask('SAVEPOINT sallyport_preview')
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof UpstreamError) || error.fields === undefined) throw error
      await this.#connection.ask('ROLLBACK TO SAVEPOINT sallyport_preview')
      return new Refusal(error.fields.code ?? '')
    }
  }

  /** The transaction is rolled back with it. */
  close(): void {
    this.#connection.close()
  }

  async #set(settings: readonly (readonly [name: string, value: string])[]): Promise<void> {
    const calls = settings.map((_, index) => `pg_catalog.set_config($${2 * index + 1}, $${2 * index + 2}, true)`)
    await this.#connection.ask(`SELECT ${calls.join(', ')}`, textParameters(settings.flat()))
  }
}

/** The target would not. Its message is left out, for it may quote a value. */
export class Refusal {
  readonly code: string
  constructor(code: string) {
    this.code = code
  }

  get words(): string {
    if (this.code === '57014') return 'it took too long'
    if (this.code === '55P03') return 'something else holds a lock on it'
    return `the target refused (${this.code})`
  }
}

function upstream({ route: { target, database }, session, signal }: PreviewConnectionOptions): UpstreamOptions & { signal: AbortSignal } {
  const { host, port, user, password, tls, connectTimeoutMs: timeoutMs } = target
  return { host, port, user, password, tls, timeoutMs, database, parameters: startupParameters(session), signal }
}
