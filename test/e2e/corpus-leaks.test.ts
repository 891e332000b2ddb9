import { describeLeaks } from '../corpus/describe-leaks.ts'
import { MODES } from '../corpus/play.ts'

describeLeaks('the leaks of the corpus', { which: 'shared', modes: MODES, also: ['straight', 'untraced', 'sample'] })
