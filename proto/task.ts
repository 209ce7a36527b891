/**
 * The executor's messages in the plain form in which their senders make them; the channel makes real messages of them.
 */

import type { MessageInitShape } from '@bufbuild/protobuf'
import type {
  ExchangeFileSchema, ExchangeSourceSchema, InputSchema, RestrictionSchema, ScanSchema, SplitSchema,
  TaskDefinitionSchema,
} from './gen/executor_pb.js'

/** Without the marks that protobuf-es gives a made message. */
type Plain<T> = Omit<T, '$typeName' | '$unknown'>

export type TaskDefinitionInit = Plain<MessageInitShape<typeof TaskDefinitionSchema>>
export type ScanInit = Plain<MessageInitShape<typeof ScanSchema>>
export type SplitInit = Plain<MessageInitShape<typeof SplitSchema>>
export type InputInit = Plain<MessageInitShape<typeof InputSchema>>
export type ExchangeFileInit = Plain<MessageInitShape<typeof ExchangeFileSchema>>
export type ExchangeSourceInit = Plain<MessageInitShape<typeof ExchangeSourceSchema>>
export type RestrictionInit = Plain<MessageInitShape<typeof RestrictionSchema>>
