export { dotted, loadConfig, parseConfig, type LoadedConfig } from './load.ts'
export type { PathProblem } from './references.ts'
export { renderProblems, type Problem } from './problem.ts'
export type { Address, Config, ListenerConfig, Person, TargetConfig } from './schema.ts'
