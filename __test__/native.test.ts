import test from 'ava'
import { LossmaskError } from '../src/errors.js'
import { fromNative, guarded, guardedAsync, native } from '../src/native.js'

test('an error of the binding becomes a LossmaskError with its fields', t => {
  const issue = {
    code: 'bad-row',
    message: 'no messages',
    path: 'messages',
    file: 'a.jsonl',
    line: 2,
    row: 1,
    hint: 'h',
  }
  const error = fromNative(new Error(JSON.stringify(issue)))
  t.true(error instanceof LossmaskError)
  t.deepEqual(error.toJSON(), issue)
})

test('a list of issues stays a list', t => {
  const issues = [
    { code: 'a', message: 'first' },
    { code: 'b', message: 'second' },
  ]
  t.deepEqual(fromNative(new Error(JSON.stringify(issues))).issues, issues)
})

for (const text of ['index out of bounds', '{', '[]', '{"code":1,"message":"m"}', '[null]', '{"message":"no code"}']) {
  test(`what is not an issue is an internal error: ${text}`, t => {
    const cause = new Error(text)
    const error = fromNative(cause)
    t.is(error.code, 'internal-error')
    t.is(error.cause, cause)
    t.true(error.message.includes(text))
  })
}

test('a LossmaskError passes through guarded calls', async t => {
  const error = new LossmaskError('x', 'y')
  const fail = () => {
    throw error
  }
  t.is(
    t.throws(() => guarded(fail)),
    error,
  )
  t.is(await t.throwsAsync(guardedAsync(async () => fail())), error)
  t.is(
    guarded(() => 5),
    5,
  )
})

test('the binding is loaded once', t => {
  t.is(native(), native())
})
