import type { Command, Decision } from '../../core/index.ts'
import { MaskedResult } from './enforce.ts'
import type { Analysis } from './sql/analysis.ts'

/** A statement as far as it is understood; shared by all its runs. */
export interface Understood {
  readonly command: Omit<Command, 'phase' | 'values' | 'valuesComplete'>
  readonly analysis: Analysis | undefined
}

/** What the masks of a decision mean for one statement. */
export type Plan =
  | { readonly kind: 'blocked'; readonly reason: string }
  | { readonly kind: 'run'; readonly masked: MaskedResult | undefined; readonly stripErrors: boolean }

export interface Observer {
  understand(text: string, prepared: (name: string) => Understood | undefined): Understood | Promise<Understood>
  unknownStatement(name: string): Understood
  cursor(name: string): Understood
  readonly functionCall: Understood
  maskPlan(understood: Understood, decision: Decision): Promise<Plan>
  parameter(name: string, value: string): void
  ready(transaction: string): void
  ran(understood: Understood, ok: boolean): void
}
