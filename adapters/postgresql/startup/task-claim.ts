/**
 * The task that a client says it works on: the startup parameter `sallyport.task`, or `-c sallyport.task=…` in `options`, where
 * libpq and most drivers let one write it (PGOPTIONS). A backslash takes what follows it as it is, as the server does it.
 * It is for the gateway alone: what is passed on has none of it.
 */
const NAME = 'sallyport.task'
const OPTION = /(?:^|(?<!\\)\s)(?:-c\s*|--)sallyport[._-]task=((?:\\[^]|[^\s\\])*)(?=\s|$)/i

export interface TaskClaim {
  /** Empty when none is claimed. */
  readonly task: string
  /** What is left to pass on. */
  readonly parameters: ReadonlyMap<string, string>
}

export function takeTaskClaim(parameters: ReadonlyMap<string, string>): TaskClaim {
  const left = new Map(parameters)
  const options = left.get('options') ?? ''
  const [, written = ''] = OPTION.exec(options) ?? []
  if (written !== '') left.set('options', options.replace(OPTION, ''))
  const task = left.get(NAME) ?? written.replaceAll(/\\([^])/g, '$1')
  left.delete(NAME)
  return { task, parameters: left }
}
