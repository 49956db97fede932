/** One npm package per platform, as `napi create-npm-dirs` makes them from package.json; and the binding in other threads. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Worker } from 'node:worker_threads'
import test from 'ava'

const read = (path: string) => JSON.parse(readFileSync(new URL(`../${path}`, import.meta.url), 'utf8'))

test('every target has its package, of the version and licence of the whole', t => {
  const root = read('package.json')
  const packages = readdirSync(new URL('../npm/', import.meta.url)).map(folder => read(`npm/${folder}/package.json`))
  t.is(packages.length, root.napi.targets.length)
  for (const { name, version, license, engines, os, cpu, main, files } of packages) {
    t.true(name.startsWith(`${root.napi.packageName}-${os[0]}-${cpu[0]}`), name)
    t.deepEqual([version, license, engines], [root.version, root.license, root.engines])
    t.deepEqual(files, [main])
  }
})

test('the binding works in worker threads, and survives their end', async t => {
  const binding = createRequire(import.meta.url).resolve('../native/binding.cjs')
  t.true(existsSync(binding))
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const binding = require(workerData)
    const masker = binding.createMasker('boundaries', JSON.stringify({ boundaries: [{ role: 'assistant', starts: [[1]], ends: [] }] }))
    const labels = Int32Array.of(5, 1, 6)
    binding.rowWriter(masker)(labels, labels)
    binding.labelsBatchAsync(masker, new Int32Array(1e6), 1e6, undefined, undefined)
    parentPort.postMessage([...labels])
    if (workerData.length % 2) process.exit()
  `
  const answers = Array.from({ length: 4 }, () => {
    const worker = new Worker(code, { eval: true, workerData: binding })
    const ended = new Promise(done => worker.once('exit', done))
    return Promise.all([new Promise((done, fail) => worker.once('message', done).once('error', fail)), ended])
  })
  for (const [labels] of await Promise.all(answers)) t.deepEqual(labels, [-100, -100, 6])
})
