/** One thing wrong with the configuration, and what to write instead. */
export interface Problem {
  /** 1-based; 0 when it is about the file as a whole. */
  readonly line: number
  readonly message: string
}

/** `file:line: message`, one line each. */
export function renderProblems(file: string, problems: readonly Problem[]): string {
  return problems.map(({ line, message }) => `${file}:${line > 0 ? `${line}:` : ''} ${message}`).join('\n')
}
