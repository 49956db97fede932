import { readFileSync } from 'node:fs'
import test from 'ava'
import { z } from 'zod'
import { findStrategy, listStrategies } from '../src/strategies/index.js'

const families = new URL('../families/', import.meta.url)
const read = (name: string) => JSON.parse(readFileSync(new URL(name, families), 'utf8'))

test('families.json is what its schema says', t => {
  const schema = z.fromJSONSchema(read('schema.json'))
  const parsed = schema.safeParse(read('families.json'))
  t.deepEqual(parsed.error?.issues ?? [], [])
  const [first, ...others] = read('families.json')
  t.false(schema.safeParse([{ ...first, rolls: [] }, ...others]).success)
  const { control: _, ...without } = first
  t.false(schema.safeParse([without, ...others]).success)
})

test('a name, an alias and a processor class belong to one family', t => {
  const names = listStrategies().flatMap(({ name, aliases }) => [name, ...aliases])
  t.deepEqual([...new Set(names)], names)
  const processors = listStrategies().flatMap(each => each.processors)
  t.deepEqual([...new Set(processors)], processors)
  t.is(findStrategy('mllama')?.name, 'llama3_2_vision')
})
