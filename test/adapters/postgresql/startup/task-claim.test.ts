import assert from 'node:assert/strict'
import { test } from 'node:test'
import { takeTaskClaim } from '../../../../adapters/postgresql/startup/task-claim.ts'

const CASES: readonly (readonly [options: string, task: string, left: string])[] = [
  ['', '', ''],
  ['-c search_path=app', '', '-c search_path=app'],
  ['-c sallyport.task=T1', 'T1', ''],
  ['-csallyport.task=T1', 'T1', ''],
  ['--sallyport.task=T1', 'T1', ''],
  ['-c search_path=app -c sallyport.task=T1 -c geqo=off', 'T1', '-c search_path=app -c geqo=off'],
  ['-c sallyport.task=two\\ words\\\\', 'two words\\', ''],
  ['-c sallyport.task=', '', '-c sallyport.task='],
  ['-c not.sallyport.task=T1', '', '-c not.sallyport.task=T1'],
  ['-c search_path=a\\ -csallyport.task=T1', '', '-c search_path=a\\ -csallyport.task=T1'],
]
for (const [options, task, left] of CASES) {
  test(`"${options}" claims ${task === '' ? 'nothing' : `"${task}"`}`, () => {
    const taken = takeTaskClaim(new Map([['user', 'ada'], ['options', options]]))
    assert.deepEqual([taken.task, taken.parameters.get('options'), taken.parameters.get('user')], [task, left, 'ada'])
  })
}

test('a startup parameter of its own comes first, and is not passed on', () => {
  const { task, parameters } = takeTaskClaim(new Map([['user', 'ada'], ['sallyport.task', 'T2'], ['options', '-c sallyport.task=T1']]))
  assert.deepEqual([task, [...parameters.keys()], parameters.get('options')], ['T2', ['user', 'options'], ''])
})
