import type { Certainty, Impact, ImpactDiff, ImpactEffect, ImpactSample } from '../../../core/index.ts'
import { summarise } from './summary.ts'

export type DraftEffect = { -readonly [K in keyof ImpactEffect]: ImpactEffect[K] }

/** An impact while it is found out: whatever is in it when the time is up is what a reviewer gets. */
export class Draft {
  readonly effects: DraftEffect[] = []
  readonly #notes = new Set<string>()
  readonly #unknown = new Set<string>()
  readonly #plans: string[] = []
  sample: ImpactSample | undefined
  diff: ImpactDiff | undefined

  effect(resource: string, change: string, through = ''): DraftEffect {
    const effect: DraftEffect = { resource, change, certainty: 'unknown', through }
    this.effects.push(effect)
    return effect
  }

  note(line: string): void {
    this.#notes.add(line)
  }

  unknown(line: string): void {
    this.#unknown.add(line)
  }

  plan(text: string): void {
    this.#plans.push(text)
  }

  finish(): Impact {
    const effects = this.effects.map((effect) => ({ ...effect }))
    return {
      summary: summarise(effects), effects, notes: [...this.#notes], unknown: [...this.#unknown],
      ...this.#plans.length === 0 ? {} : { plan: this.#plans.join('\n\n') },
      ...this.sample === undefined ? {} : { sample: this.sample },
      ...this.diff === undefined ? {} : { diff: this.diff },
    }
  }
}

export function setAmount(effect: DraftEffect, amount: number, certainty: Certainty): void {
  effect.amount = amount
  effect.certainty = certainty
}
