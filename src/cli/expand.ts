import { Command, InvalidArgumentError } from 'commander'
import { LossmaskError } from '../errors.js'
import { type ExpandedMedia, expandMedia, type VideoFrames } from '../media/index.js'
import { DataFault } from './failure.js'
import { type CommandIo, print, printJson } from './io.js'
import { count } from './terminal.js'

interface Options {
  family: string
  params?: string
  size: [number, number][]
  video: VideoFrames[]
  samples: number[]
  bare?: boolean
  json?: boolean
}

/** `lossmask expand --family NAME [--params FILE] --size WxH ...` */
export function expandCommand(io: CommandIo): Command {
  return new Command('expand')
    .description('Show what a model puts in the place of images, videos and sounds, from their sizes alone.')
    .requiredOption('--family <name>', 'the family, by its processor: qwen2_vl, gemma3, idefics3, ...')
    .option('--params <file>', 'preprocessor_config.json, processor_config.json, or the model folder that holds them')
    .option('--size <WxH...>', 'an image, in pixels; several are the images of one row', sizes, [])
    .option('--video <WxHxFRAMES@FPS...>', 'a video: frame size, sampled frames, sampled frames per second', videos, [])
    .option('--samples <number...>', 'a sound, in samples at the rate of the processor', samples, [])
    .option('--bare', 'without the delimiters that the chat template writes around a placeholder')
    .option('--json', 'one JSON document on stdout')
    .action((options: Options) => {
      const answer = expanded(options)
      if (options.json === true) printJson(io, answer)
      else print(io, lines(options, answer).join('\n'))
    })
}

/** Media that a processor refuses is data at fault; everything else is the command's. */
const refusals = new Set(['media-refused', 'media-empty', 'media-too-large', 'media-unsupported'])

function expanded({ family, params, size, video, samples, bare }: Options): ExpandedMedia {
  if (size.length + video.length + samples.length === 0) {
    throw new LossmaskError('invalid-media-request', 'nothing to expand', { hint: 'name an image by --size 640x480' })
  }
  try {
    return expandMedia({
      family,
      ...(params === undefined ? {} : { model: params }),
      images: size,
      videos: video,
      audioSamples: samples,
      prompt: bare === true ? 'bare' : 'template',
    })
  } catch (error) {
    throw error instanceof LossmaskError && refusals.has(error.code) ? new DataFault(error) : error
  }
}

/** Per item a line with its tokens; then the grid. */
function lines({ size, video, samples }: Options, { expanded, counts, grid }: ExpandedMedia): string[] {
  const names = [
    ...size.map(([width, height]) => `image ${width}x${height}`),
    ...video.map(({ width, height, frames, fps }) => `video ${width}x${height}x${frames}@${fps}`),
    ...samples.map(number => `sound of ${count(number)} samples`),
  ]
  const items = expanded.map((runs, index) => {
    const total = runs.reduce((sum, [token, times]) => sum + (token.startsWith('text:') ? 0 : times), 0)
    const text = runs.map(([token, times]) => {
      const shown = token.startsWith('text:') ? JSON.stringify(token.slice('text:'.length)) : token
      return times === 1 ? shown : `${shown} x ${times}`
    })
    const head = `${names[index]}: ${count(counts[index] ?? 0)} placeholders, ${count(total)} tokens beside text`
    return `${head}\n  ${text.join(' ')}`
  })
  return [...items, ...Object.entries(grid).map(([name, value]) => `${name}: ${JSON.stringify(value)}`)]
}

function sizes(text: string, before: [number, number][]): [number, number][] {
  const match = /^(\d+)x(\d+)$/i.exec(text)
  if (match === null) throw new InvalidArgumentError('expected WIDTHxHEIGHT, such as 640x480.')
  return [...before, [Number(match[1]), Number(match[2])]]
}

function videos(text: string, before: VideoFrames[]): VideoFrames[] {
  const match = /^(\d+)x(\d+)x(\d+)@(\d+(?:\.\d+)?)$/i.exec(text)
  if (match === null) throw new InvalidArgumentError('expected WIDTHxHEIGHTxFRAMES@FPS, such as 640x480x8@2.')
  const [width, height, frames, fps] = match.slice(1).map(Number) as [number, number, number, number]
  return [...before, { width, height, frames, fps }]
}

function samples(text: string, before: number[]): number[] {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected a whole number.')
  return [...before, Number(text)]
}
