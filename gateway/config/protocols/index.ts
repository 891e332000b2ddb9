/** Every protocol there is to configure. A new one is a file beside this one and a line in each list. */
import { z } from 'zod'
import { camelKeys, list } from '../section.ts'
import * as postgresql from './postgresql.ts'

export const PROTOCOLS = ['postgresql'] as const

const wanted = `write protocol: ${list(PROTOCOLS)}`
const unknownProtocol = (issue: { code?: string | undefined }) => (issue.code === 'invalid_union' || issue.code === 'invalid_type' ? wanted : undefined)

export const targetSchema = z.discriminatedUnion('protocol', [postgresql.target], { error: unknownProtocol }).transform((value) => camelKeys(value))
export const listenerSchema = z.discriminatedUnion('protocol', [postgresql.listener], { error: unknownProtocol }).transform((value) => camelKeys(value))
/** Keys of a person that say how to log in by each protocol. */
export const loginSchemas = { postgresql: postgresql.login.optional() }
