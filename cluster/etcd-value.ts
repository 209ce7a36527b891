/**
 * Values as they lie in etcd: behind a mark of who wrote them and which of his writes it was. By it a writer whose call
 * had no answer finds out whether it was done. A value without a mark, written by another program, is taken as it is.
 */

const FORMAT = Buffer.from('sk1:')
const WRITER_BYTES = 16
const NUMBER_BYTES = 6
const MARK_BYTES = FORMAT.length + WRITER_BYTES + NUMBER_BYTES

/** `writer` is a UUID, `number` of this write. */
export function marked(writer: string, number: number, value: Uint8Array): Buffer {
  const mark = Buffer.alloc(MARK_BYTES)
  FORMAT.copy(mark)
  mark.write(writer.replaceAll('-', ''), FORMAT.length, WRITER_BYTES, 'hex')
  mark.writeUIntBE(number, MARK_BYTES - NUMBER_BYTES, NUMBER_BYTES)
  return Buffer.concat([mark, value])
}

export function unmarked(value: Buffer): Uint8Array {
  const has = value.length >= MARK_BYTES && value.subarray(0, FORMAT.length).equals(FORMAT)
  return has ? value.subarray(MARK_BYTES) : value
}

export function sameMark(a: Buffer, b: Buffer): boolean {
  return a.length >= MARK_BYTES && a.subarray(0, MARK_BYTES).equals(b.subarray(0, MARK_BYTES))
}
