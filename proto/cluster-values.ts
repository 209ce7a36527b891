/**
 * The values in the metadata store as bytes and back. What cannot be read is null: another version may have written it.
 */

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import { ExecutorInfoSchema, type ExecutorInfo } from './gen/cluster_pb.js'

export type ExecutorInfoInit = Omit<MessageInitShape<typeof ExecutorInfoSchema>, '$typeName' | '$unknown'>

export function executorInfo(init: ExecutorInfoInit): ExecutorInfo {
  return create(ExecutorInfoSchema, init)
}

export function encodeExecutorInfo(info: ExecutorInfo): Uint8Array {
  return toBinary(ExecutorInfoSchema, info)
}

export function decodeExecutorInfo(bytes: Uint8Array): ExecutorInfo | null {
  try {
    const info = fromBinary(ExecutorInfoSchema, bytes)
    return info.id === '' || info.incarnation === '' || info.address === '' ? null : info
  } catch {
    return null
  }
}
