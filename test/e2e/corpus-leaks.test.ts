import { describeLeaks } from '../corpus/describe-leaks.ts'

describeLeaks('the leaks of the corpus', { fresh: false })
