import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cruise } from 'dependency-cruiser'
import type { ICruiseResult } from 'dependency-cruiser'
import { IMPORT_RULES } from './import-rules.ts'

const ROOMS = ['core', 'adapters', 'projections', 'plugins', 'gateway', 'console', 'bench', 'test']

export interface Imports {
  /** Source files that were read. */
  readonly modules: readonly string[]
  /** `file → file`, or a file alone that imports what cannot be found. */
  readonly unresolved: readonly string[]
  readonly violations: readonly { readonly rule: string; readonly from: string; readonly to: string }[]
}

/** Reads every import (types included) of the TypeScript files under `folder`. */
export async function cruiseImports(folder: string): Promise<Imports> {
  const rooms = ROOMS.filter((room) => existsSync(join(folder, room)))
  const { output } = await cruise(rooms, {
    baseDir: folder,
    validate: true,
    ruleSet: { forbidden: [...IMPORT_RULES] },
    // Imports of types count: they tie two rooms together as much as others do.
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
  })
  if (typeof output === 'string') throw new TypeError('dependency-cruiser gave text instead of a result')
  return importsOf(output)
}

function importsOf({ modules, summary }: ICruiseResult): Imports {
  const own = modules.filter(({ source, coreModule }) => coreModule !== true && /\.[cm]?tsx?$/.test(source) && !source.includes('node_modules'))
  const unresolved = own.flatMap(({ source, dependencies }) =>
    dependencies.filter(({ couldNotResolve, module }) => couldNotResolve && /^[./]/.test(module)).map(({ module }) => `${source} → ${module}`))
  const violations = summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }))
  return { modules: own.map(({ source }) => source), unresolved, violations }
}
