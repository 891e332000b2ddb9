import { describeLeaks } from '../corpus/describe-leaks.ts'

describeLeaks('the leaks of the corpus that change their database', { which: 'fresh', modes: ['simple'], also: ['straight', 'sample'] })
