import { pino, type DestinationStream, type Logger } from 'pino'

export type Log = Logger

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly destination?: DestinationStream
}

/**
 * The gateway's own log: how it fares, never what passed through. Nobody hands it statements, values or secrets; the
 * redaction is for the day somebody does.
 */
export function createLog({ level, destination = pino.destination({ dest: 2, sync: true }) }: LogOptions): Log {
  return pino({
    level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) },
    redact: { paths: ['password', '*.password', 'token', '*.token', 'text', '*.text', 'values', '*.values', 'authorization', '*.authorization'], censor: '[secret]' },
  }, destination)
}

/** What of an error belongs in the log: its kind, code and message, not what it carries. */
export function aboutError(error: unknown): Readonly<Record<string, unknown>> {
  if (!(error instanceof Error)) return { error: String(error) }
  return { error: error.message, ...('code' in error ? { code: error.code } : {}), ...(error.cause instanceof Error ? { cause: error.cause.message } : {}) }
}
