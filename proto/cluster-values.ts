/**
 * The values in the metadata store as bytes and back. What cannot be read is null: another version may have written it.
 */

import { create, fromBinary, toBinary, type MessageInitShape } from '@bufbuild/protobuf'
import {
  CoordinatorInfoSchema, ExecutorInfoSchema, type CoordinatorInfo, type ExecutorInfo,
} from './gen/cluster_pb.js'

/** Grows with every change of executor.proto, or of how it is spoken, that an older process would not understand. */
export const WIRE_VERSION = 2

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

export type CoordinatorInfoInit = Omit<MessageInitShape<typeof CoordinatorInfoSchema>, '$typeName' | '$unknown'>

export function encodeCoordinatorInfo(init: CoordinatorInfoInit): Uint8Array {
  return toBinary(CoordinatorInfoSchema, create(CoordinatorInfoSchema, init))
}

export function decodeCoordinatorInfo(bytes: Uint8Array): CoordinatorInfo | null {
  try {
    const info = fromBinary(CoordinatorInfoSchema, bytes)
    return info.id === '' || info.incarnation === '' ? null : info
  } catch {
    return null
  }
}
