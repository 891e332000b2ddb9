import pg from 'pg'
import type { Endpoint } from './contender.ts'

/** A gateway that decides nothing is fast: before it is measured, it has to refuse what a rule blocks and mask what a rule masks. */
export async function proveGuarding(gateway: Endpoint, target: Endpoint): Promise<void> {
  const [refusal, masked, real] = [await refusalOf(gateway), await emailOf(gateway), await emailOf(target)]
  if (refusal !== '42501') throw new Error(`the gateway should refuse DROP TABLE with 42501, but it answered ${refusal}`)
  if (masked === real) throw new Error('the gateway should mask public.people.email, but it showed it')
}

async function refusalOf(endpoint: Endpoint): Promise<string> {
  const client = await connected(endpoint)
  try {
    await client.query('DROP TABLE public.no_such_table')
    return 'that it was done'
  } catch (error) {
    return (error as { code?: string }).code ?? String(error)
  } finally {
    await client.end()
  }
}

async function emailOf(endpoint: Endpoint): Promise<string> {
  const client = await connected(endpoint)
  try {
    const { rows } = await client.query<{ email: string }>('SELECT email FROM public.people WHERE id = 1')
    return rows[0]?.email ?? ''
  } finally {
    await client.end()
  }
}

async function connected(endpoint: Endpoint): Promise<pg.Client> {
  const client = new pg.Client({ ...endpoint })
  await client.connect()
  return client
}
