import type { Bound, QuestionConnection } from './question-connection.ts'
import { rowValues } from './row-values.ts'

const TEXT = 25

/** Asks the catalogue; `parameters` are text. */
export type AskCatalogue = (sql: string, ...parameters: readonly string[]) => Promise<readonly (readonly (string | null)[])[]>

export function textParameters(parameters: readonly string[]): Bound {
  return { types: parameters.map(() => TEXT), values: parameters.map((each) => Buffer.from(each)), formats: [] }
}

export function catalogueQuestions(connection: QuestionConnection): AskCatalogue {
  return async (sql, ...parameters) => (await connection.ask(sql, textParameters(parameters))).rows.map(rowValues)
}
