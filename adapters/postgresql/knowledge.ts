import type { Command, Decision, Target } from '../../core/index.ts'
import type { Observer, Plan, Understood } from './observe.ts'
import type { Route } from './target.ts'

export interface KnowledgeOptions {
  readonly route: Route
  readonly needsNames: () => boolean
}
export interface ObserverOptions {
  readonly parameters: ReadonlyMap<string, string>
  readonly startup: ReadonlyMap<string, string>
  readonly target: Target
  readonly maskKey: Buffer
}
export class Knowledge {
  readonly #cache = new Map<string, Understood>()
  constructor(_options: KnowledgeOptions) {}
  observe(_options: ObserverOptions): Observer {
    const u = (text: string): Understood => {
      const known = this.#cache.get(text)
      if (known !== undefined) return known
      const command: Omit<Command, 'phase' | 'values' | 'valuesComplete'> = { protocol: 'postgresql', action: /^select/i.test(text) ? 'read' : 'unknown', actions: ['unknown'], text, resources: [], fidelity: 'opaque', opaque: 'not analysed', facts: {} }
      const made = { command: Object.freeze(command), analysis: undefined }
      if (this.#cache.size > 1000) this.#cache.clear()
      this.#cache.set(text, made)
      return made
    }
    return {
      understand: (text) => u(text),
      unknownStatement: () => u(''),
      cursor: () => u(''),
      functionCall: u('fast-path function call'),
      maskPlan: async (_u: Understood, _d: Decision): Promise<Plan> => ({ kind: 'run', masked: undefined, stripErrors: false }),
      parameter: () => {},
      ready: () => {},
      ran: () => {},
    }
  }
}
