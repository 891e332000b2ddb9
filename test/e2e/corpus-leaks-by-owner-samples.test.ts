import { describeLeaks } from '../corpus/describe-leaks.ts'

describeLeaks('the leaks of the corpus by what the owner of the database made, under the sample rules', { which: 'given', modes: [], also: ['sample'] })
