import { describeLeaks } from '../corpus/describe-leaks.ts'

describeLeaks('the leaks of the corpus that change their database, where what cannot be traced is masked', { which: 'fresh', modes: ['one segment'], also: ['untraced'] })
