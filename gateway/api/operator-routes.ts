import type { FastifyInstance } from 'fastify'
import { SallyportError } from '../../core/index.ts'
import { callerOf } from './caller-of.ts'
import { addressOf, type ApiDependencies } from './server.ts'

/** `GET /sessions`, `POST /rules/reload`: for people with `operator: true`. */
export function operatorRoutes(app: FastifyInstance, { sessions, reloadRules, refused }: ApiDependencies): void {
  void app.register(async (operators) => {
    operators.addHook('onRequest', async (request) => {
      const { operator, identity } = callerOf(request)
      if (operator) return
      const message = 'only an operator may do this'
      refused({ address: addressOf(request), code: 'not-an-operator', message, claimedSubject: identity.subject })
      throw new SallyportError('ACCESS_REFUSED', `${message}; the configuration says who is one (people.NAME.api.operator)`)
    })
    operators.get('/sessions', () => ({ sessions: sessions() }))
    operators.post('/rules/reload', () => reloadRules())
  })
}
