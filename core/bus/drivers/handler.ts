import type { BusMessage } from '../event-bus.ts'

/** Told of what a handler threw and of messages that could not be read or answered. Must not throw. */
export type ReportError = (error: unknown) => void

export type Handler = (message: BusMessage) => void

/** The default: a process warning, so that nothing is swallowed without a word. */
export const warn: ReportError = (error) => {
  process.emitWarning(error instanceof Error ? error : new Error(String(error)))
}

/** Runs a handler so that whatever it throws, now or in a promise it returns, ends in `report`. */
export function runHandler(handler: Handler, message: BusMessage, report: ReportError): void {
  try {
    // A handler may be an async function all the same: its rejection must not end the process.
    const result: unknown = handler(message)
    if (result instanceof Promise) result.catch(report)
  } catch (error) {
    report(error)
  }
}
