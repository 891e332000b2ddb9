import { SallyportError } from '../errors.ts'
import type { SecretSource } from './secret-source.ts'

/** `${env:NAME}`: an environment variable, which must be set and not empty. */
export function createEnvironmentSource(environment: Readonly<Record<string, string | undefined>> = process.env): SecretSource {
  return {
    scheme: 'env',
    async read(name) {
      const value = Object.hasOwn(environment, name) ? environment[name] : undefined
      if (value === undefined) throw new SallyportError('CONFIG_INVALID', 'names an environment variable that is not set')
      if (value === '') throw new SallyportError('CONFIG_INVALID', 'names an environment variable that is empty')
      return value
    },
  }
}
