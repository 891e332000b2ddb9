/**
 * Where values of references come from: the part before the colon of `${env:NAME}` names the source, the rest is its own.
 *
 * `read` rejects with `CONFIG_INVALID`, in words that follow "the reference …": what is missing, never what was found.
 * It may be called again to see a new value.
 */
export interface SecretSource {
  /** Lower case letters, digits and `-`. */
  readonly scheme: string
  read(name: string): Promise<string>
}
