import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import test from 'ava'
import { type Browser, chromium, type Page } from 'playwright-core'
import { writePage } from '../src/inspect/html.js'
import { pageFixture } from './page-fixture.js'

const ROWS = 10_000
const paths = [process.env.LOSSMASK_CHROMIUM ?? '', '/usr/bin/chromium', '/usr/bin/google-chrome']
const executablePath = paths.find(path => path !== '' && existsSync(path))
const inBrowser = executablePath === undefined ? test.serial.skip : test.serial

let folder: string
let browser: Browser | undefined
let page: Page
let firstPaint = -1
const trouble: string[] = []

test.before(async t => {
  folder = await mkdtemp(join(tmpdir(), 'lossmask-page-'))
  if (executablePath === undefined) {
    t.log('left out: no Chromium here (set LOSSMASK_CHROMIUM to its path)')
    return
  }
  const { head, chunks } = pageFixture(ROWS)
  await writePage(join(folder, 'page.html'), chunks, () => JSON.stringify(head))
  const quiet = ['--disable-background-networking', '--disable-component-update', '--disable-sync']
  browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu', ...quiet] })
  page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.on('request', request => request.url().startsWith('file:') || trouble.push(request.url()))
  page.on('pageerror', error => trouble.push(error.message))
  await page.goto(pathToFileURL(join(folder, 'page.html')).href)
  await page.waitForSelector('#row .turn')
  firstPaint = await page.evaluate(() => performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? -1)
})

test.after.always(async () => {
  await browser?.close()
  await rm(folder, { recursive: true, force: true })
})

const opened = (row: number) =>
  page
    .locator('#row h2')
    .filter({ hasText: new RegExp(`^Row ${row}$`) })
    .waitFor()

inBrowser('the page needs no network, breaks nothing, and keeps most rows out of the document', async t => {
  t.deepEqual(trouble, [])
  t.true(firstPaint > 0)
  t.log(`first paint of ${ROWS} rows after ${Math.round(firstPaint)} ms`)
  t.regex((await page.textContent('#figures')) ?? '', /10,000 rows/)
  t.true((await page.locator('.item').count()) < 100)
})

inBrowser('keys walk through rows, diagnosed rows and tokens', async t => {
  await page.keyboard.press('j')
  await opened(1)
  await page.keyboard.press('k')
  await opened(0)
  await page.keyboard.press('n')
  await opened(7)
  t.regex((await page.textContent('#row ul.found')) ?? '', /typed-marker/)
  await page.keyboard.press('ArrowRight')
  await page.keyboard.press('ArrowRight')
  const tip = (await page.textContent('#tip')) ?? ''
  t.regex(tip, /"Question"/)
  t.regex(tip, /token 1, id 1001/)
  t.regex(tip, /why: role-not-trained/)
  await page.keyboard.press('Escape')
  t.false(await page.isVisible('#tip'))
})

inBrowser('hovering a trained word says what it is and why it is trained', async t => {
  const run = page.locator('#row .text span.trained', { hasText: 'word3' }).first()
  const box = await run.boundingBox()
  if (box === null) return t.fail('no trained word on the screen')
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
  const tip = (await page.textContent('#tip')) ?? ''
  t.regex(tip, /^trained/)
  t.regex(tip, /word3/)
  t.regex(tip, /why: role/)
})

inBrowser('chips and bars filter rows, x drops the filters', async t => {
  await page.click('.chip:has-text("nothing-trained")')
  await opened(96)
  t.is(await page.textContent('#search-state'), '103 of 10,000 rows')
  await page.keyboard.press('x')
  await page.locator('g.pick[data-chart="share"][data-bin="0"]').click()
  t.is(await page.textContent('#search-state'), '103 of 10,000 rows')
  await page.keyboard.press('x')
  t.is(await page.textContent('#search-state'), '')
})

inBrowser('search finds text in every chunk and marks it', async t => {
  await page.keyboard.press('/')
  await page.keyboard.type('on 9876')
  await opened(9876)
  await page.locator('#row mark').first().waitFor()
  t.is((await page.locator('#row mark').allTextContents()).join(''), 'on 9876')
  await page.keyboard.press('Escape')
  await page.keyboard.press('x')
})

inBrowser('text from the data is never read as markup', async t => {
  t.is(await page.locator('#row script').count(), 0)
  t.deepEqual(trouble, [])
})

test('the page is small without its data and names no network address', async t => {
  const empty = join(folder, 'empty.html')
  await writePage(empty, [], () => JSON.stringify(pageFixture(0).head))
  t.true((await stat(empty)).size < 1_000_000)
  // The SVG namespace is a name, not an address.
  const text = (await readFile(empty, 'utf8')).replaceAll('http://www.w3.org/2000/svg', '')
  t.notRegex(text, /https?:/)
})

test('a page that cannot be written leaves nothing behind', async t => {
  const error = await t.throwsAsync(writePage(join(folder, 'absent', 'page.html'), [], () => '{}'))
  t.is((error as { code?: string }).code, 'page-not-written')
})
