import type { ImpactSample, Mask, Obligations, Target } from '../../../core/index.ts'
import { createDetector } from '../../shared/detection/index.ts'
import { maskedOrigins, originKey, type Catalogue, type MaskedOrigins } from '../sql/index.ts'
import { maskPatterns } from '../sql/mask-pattern.ts'
import type { ColumnDescription } from '../wire/backend.ts'
import type { Answer } from './question-connection.ts'
import { rowValues } from './row-values.ts'

const HIDDEN = '***'
const detector = createDetector()

/**
 * What a reviewer may see of rows. A reviewer is shown less than anybody: what the rules mask for the requester, what they
 * would but for an exemption, whatever has a data class, and what looks like personal data is hidden whole. Under any of
 * those, so is what cannot be traced to a column of a table.
 */
export class Curtain {
  readonly #catalogue: Catalogue
  readonly #origins: MaskedOrigins
  /** Nothing is to be hidden by its origin. */
  readonly #open: boolean
  /** A mask cannot be read: everything is hidden. */
  readonly #shut: boolean

  constructor({ masks, exemptions = [] }: Obligations, catalogue: Catalogue, target: Target) {
    const all: Mask[] = [...masks, ...exemptions.map(({ column }) => ({ column, method: 'fixed' as const }))]
    if (Object.keys(target.classes).length > 0) all.push({ column: 'class:*', method: 'fixed' })
    this.#catalogue = catalogue
    this.#open = all.length === 0
    this.#shut = all.some((mask) => maskPatterns(mask, target) === undefined)
    this.#origins = this.#shut ? new Map() : maskedOrigins(all, catalogue, target)
  }

  /** Rows as text, behind the curtain. */
  table(resource: string, { columns, rows }: Answer): ImpactSample {
    const hidden = columns.map((column) => this.#hides(column))
    const masked = new Set(columns.flatMap(({ name }, index) => (hidden[index] === true ? [name] : [])))
    const shown = rows.map((row) => rowValues(row).map((value, index) => {
      const name = columns[index]?.name ?? ''
      if (value === null || (hidden[index] === false && detector.find(value, name).length === 0)) return value
      masked.add(name)
      return HIDDEN
    }))
    return { resource, columns: columns.map(({ name }) => name), rows: shown, masked: [...masked] }
  }

  #hides({ table, attribute }: ColumnDescription): boolean {
    if (this.#shut) return true
    if (this.#open) return false
    const kind = this.#catalogue.relation(table)?.kind
    return (kind !== 'table' && kind !== 'partitioned-table') || this.#origins.has(originKey(table, attribute))
  }
}
