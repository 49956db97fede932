import { createWriteStream } from 'node:fs'
import { readFile, rename, rm } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { LossmaskError } from '../errors.js'

/** Where the page built by `scripts/build-page.mjs` takes its data. */
const CHUNKS = '<!--{chunks}-->'
const HEAD = '/*{head}*/'

/**
 * Writes the page of `lossmask inspect --html`: one file that needs no network.
 *
 * @param path where the page goes; it appears only when it is complete
 * @param chunks the rows, as base64 of gzipped JSON arrays, in order
 * @param head the head of the page as JSON ({@link ./page/payload.ts PageHead}), asked for when the last chunk has passed
 */
export async function writePage(
  path: string,
  chunks: Iterable<string> | AsyncIterable<string>,
  head: () => string,
): Promise<void> {
  const page = await readFile(new URL('../../dist/inspect/page.html', import.meta.url), 'utf8')
  const at = page.indexOf(CHUNKS)
  const unfinished = `${path}.${process.pid}.tmp`
  async function* parts(): AsyncGenerator<string> {
    yield page.slice(0, at)
    let index = 0
    for await (const chunk of chunks) {
      yield `<script type="text/plain" id="chunk-${index}">${chunk}</script>\n`
      index += 1
    }
    // `</script>` inside a string would end the element: in JSON, `<` may always be written as an escape.
    yield page.slice(at + CHUNKS.length).replace(HEAD, () => head().replaceAll('<', '\\u003c'))
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
