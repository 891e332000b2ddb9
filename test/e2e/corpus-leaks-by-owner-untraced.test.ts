import { describeLeaks } from '../corpus/describe-leaks.ts'

describeLeaks('the leaks of the corpus by what the owner of the database made, where what cannot be traced is masked', { which: 'given', modes: ['binary'], also: ['untraced'] })
