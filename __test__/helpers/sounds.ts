/** A WAV file of a quiet saw tooth: one channel of 16 bits. */
export function wav(rate: number, samples: number): Buffer {
  const file = Buffer.alloc(44 + 2 * samples)
  file.write('RIFF', 0, 'latin1')
  file.writeUInt32LE(36 + 2 * samples, 4)
  file.write('WAVEfmt ', 8, 'latin1')
  for (const [at, value] of [
    [16, 16],
    [24, rate],
    [28, 2 * rate],
  ] as const)
    file.writeUInt32LE(value, at)
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 2],
    [34, 16],
  ] as const)
    file.writeUInt16LE(value, at)
  file.write('data', 36, 'latin1')
  file.writeUInt32LE(2 * samples, 40)
  for (let sample = 0; sample < samples; sample++) file.writeInt16LE((sample % 64) * 32 - 1024, 44 + 2 * sample)
  return file
}
