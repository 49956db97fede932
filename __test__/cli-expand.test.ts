import { spawnSync } from 'node:child_process'
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'

const main = new URL('../src/cli/main.ts', import.meta.url).pathname

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--import=tsx', main, 'expand', ...args], {
    encoding: 'utf8',
    env: { ...process.env, NO_COLOR: '1' },
  })
  return { status, stdout, stderr }
}

const folder = mkdtempSync(join(tmpdir(), 'lossmask-expand-'))
const config = join(folder, 'preprocessor_config.json')
writeFileSync(config, JSON.stringify({ patch_size: 14, merge_size: 2, min_pixels: 3136, max_pixels: 12845056 }))

test('sizes as text and as JSON, parameters from a file or a folder', t => {
  for (const params of [config, folder]) {
    const json = run('--family', 'qwen2_vl', '--params', params, '--size', '640x480', '333x777', '--json')
    t.is(json.status, 0, json.stderr)
    t.deepEqual(JSON.parse(json.stdout), {
      expanded: [391, 336].map(count => [
        ['<|vision_start|>', 1],
        ['<|image_pad|>', count],
        ['<|vision_end|>', 1],
      ]),
      counts: [391, 336],
      grid: {
        image_grid_thw: [
          [1, 34, 46],
          [1, 56, 24],
        ],
      },
    })
  }
  const text = run('--family', 'gemma3', '--size', '640x480')
  t.is(text.status, 0)
  t.is(
    text.stdout,
    'image 640x480: 256 placeholders, 258 tokens beside text\n' +
      '  "\\n\\n" <start_of_image> <image_soft_token> x 256 <end_of_image> "\\n\\n"\nnum_crops: [0]\n',
  )
  const rest = run('--family', 'gemma4', '--video', '1000x500x7@4', '--samples', '80000', '--json')
  t.deepEqual(JSON.parse(rest.stdout).counts, [385, 125])
})

test('exit codes tell whose fault it is', t => {
  const cases: [string[], number, RegExp][] = [
    [['--family', 'qwen2_vl', '--size', '1x2000'], 1, /absolute aspect ratio .* \[media-refused\]/],
    [['--family', 'qwen2_vl', '--samples', '100'], 1, /reads no audio \[media-unsupported\]/],
    [['--family', 'qwen9', '--size', '1x1'], 2, /\[media-family\]/],
    [['--family', 'qwen2_vl', '--params', join(folder, 'none.json'), '--size', '1x1'], 2, /\[media-params\]/],
    [['--family', 'qwen2_vl', '--size', '640'], 2, /expected WIDTHxHEIGHT/],
    [['--family', 'qwen2_vl', '--size', '640x-1'], 2, /expected WIDTHxHEIGHT/],
    [['--family', 'qwen2_vl'], 2, /nothing to expand/],
    [['--size', '1x1'], 2, /--family/],
  ]
  for (const [args, status, message] of cases) {
    const ran = run(...args)
    t.is(ran.status, status, `${args.join(' ')}: ${ran.stderr}`)
    t.regex(ran.stderr, message)
    t.is(ran.stdout, '')
  }
})
