import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { CorpusServer } from '../corpus/corpus-gateways.ts'
import { databaseState } from '../corpus/database-state.ts'
import { loadBlocks } from '../corpus/load-corpus.ts'
import { play } from '../corpus/play.ts'
import { errorsIn } from '../fault/raw-client.ts'

let server: CorpusServer

before(async () => {
  server = await CorpusServer.start()
})

after(async () => {
  await server?.postgres.stop()
})

describe('the harmful statements of the corpus', () => {
  it('each do harm where nothing is blocked', async () => {
    const tame: string[] = []
    for (const { id, given, statements, straight } of loadBlocks()) {
      if (straight === 'untried') continue
      const database = await server.fresh('shop', given)
      const before = await databaseState(server.postgres, database)
      const { frames } = await play(server.login(database), statements, 'simple')
      const [error] = errorsIn(frames)
      const harm = straight === 'runs' ? error === undefined : (await databaseState(server.postgres, database).catch(String)) !== before
      if (!harm) tame.push(`${id}: ${error ?? 'nothing changed'}`)
      await server.drop(database)
    }
    assert.deepEqual(tame, [])
  })
})
