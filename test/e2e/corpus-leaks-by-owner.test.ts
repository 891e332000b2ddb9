import { describeLeaks } from '../corpus/describe-leaks.ts'

describeLeaks('the leaks of the corpus by what the owner of the database made', { which: 'given', modes: ['simple'], also: ['straight'] })
