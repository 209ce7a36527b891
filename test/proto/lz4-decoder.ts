/** A frame of one block as the LZ4 formats say it has to be read; whatever breaks a rule throws. */
export function lz4Decoded(frame: Uint8Array, byteCount: number): Buffer {
  const input = Buffer.from(frame)
  if (input.subarray(0, 7).toString('hex') !== '04224d18607073') throw new Error('not the header')
  const end = 11 + input.readUInt32LE(7)
  if (input.readUInt32LE(end) !== 0 || input.length !== end + 4) throw new Error('no end mark')
  const out = Buffer.alloc(byteCount)
  let [at, place] = [11, 0]
  const extended = (first: number): number => {
    let length = first
    if (first < 15) return length
    for (let byte = 255; byte === 255; length += byte) byte = input.readUInt8(at++)
    return length
  }
  for (;;) {
    const token = input.readUInt8(at++)
    const literals = extended(token >> 4)
    input.copy(out, place, at, at + literals)
    at += literals
    place += literals
    if (at === end) {
      if (literals < 5) throw new Error('the last five bytes are literals')
      if (place !== byteCount) throw new Error(`${place} bytes instead of ${byteCount}`)
      return out
    }
    const distance = input.readUInt16LE(at)
    at += 2
    const length = extended(token & 15) + 4
    if (distance === 0 || distance > place) throw new Error('a match before the beginning')
    if (place > byteCount - 12) throw new Error('a match too near the end')
    for (let i = 0; i < length; i++, place++) out[place] = out[place - distance] ?? 0
  }
}
