import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openEmbeddedStore } from '../../core/store/drivers/embedded/index.ts'
import { eventStoreContract } from './event-store.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-store-'))
const open = () => openEmbeddedStore({ path: join(folder, 'events.db') })

eventStoreContract('embedded', { open, reopen: open, cleanUp: () => rmSync(folder, { recursive: true }) })
