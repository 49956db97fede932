import { createWriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LossmaskError } from '../errors.js'

/**
 * Writes the page of `lossmask inspect --html`: one file that needs no network.
 *
 * @param path where the page goes; it appears only when it is complete
 * @param head the head of the page as JSON ({@link ./page/payload.ts PageHead})
 * @param chunks the rows, as base64 of gzipped JSON arrays, in order
 */
export async function writePage(
  path: string,
  head: string,
  chunks: Iterable<string> | AsyncIterable<string>,
): Promise<void> {
  const [before, after] = await pageAround(head)
  const unfinished = `${path}.${process.pid}.tmp`
  async function* parts(): AsyncGenerator<string> {
    yield before
    let index = 0
    for await (const chunk of chunks) {
      yield `<script type="text/plain" id="chunk-${index}">${chunk}</script>\n`
      index += 1
    }
    yield after
  }
  try {
    await pipeline(Readable.from(parts()), createWriteStream(unfinished))
    await rename(unfinished, path)
  } catch (cause) {
    await rm(unfinished, { force: true })
    throw new LossmaskError('page-not-written', `cannot write the page: ${(cause as Error).message}`, {
      file: path,
      hint: 'check that the folder exists, can be written to and has room',
      cause,
    })
  }
}

const CHUNKS = '<!--{chunks}-->'

async function pageAround(head: string): Promise<[string, string]> {
  const page = await readFile(new URL('../../dist/inspect/page.html', import.meta.url), 'utf8')
  // `</script>` inside a string would end the element: in JSON, `<` may always be written as an escape.
  const filled = page.replace('/*{head}*/', () => head.replaceAll('<', '\\u003c'))
  const at = filled.indexOf(CHUNKS)
  return [filled.slice(0, at), filled.slice(at + CHUNKS.length)]
}
