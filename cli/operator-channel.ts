/** The way to a coordinator's port of operators: with a certificate of the CA if the configuration names one. */

import type { Clock } from '../proto/clock.ts'
import type { Config } from '../proto/config.ts'
import { GrpcChannel } from '../proto/grpc-channel.ts'
import { readTls } from '../proto/tls.ts'

export function operatorChannel(address: string, { tls }: Pick<Config, 'tls'>, clock: Clock): GrpcChannel {
  return new GrpcChannel(address, {}, undefined, tls === null ? null : readTls('tls', tls, clock.wallMs()))
}
