/** gRPC's server reflection and health checking, over the services of one door. */

import { toBinary, type DescFile, type DescService } from '@bufbuild/protobuf'
import { FileDescriptorProtoSchema } from '@bufbuild/protobuf/wkt'
import type { Clock } from '../../proto/clock.ts'
import { delay } from '../../proto/clock.ts'
import type { Health } from '../../proto/gen/health_pb.js'
import { HealthCheckResponse_ServingStatus as Status } from '../../proto/gen/health_pb.js'
import type { ServerReflection, ServerReflectionRequest } from '../../proto/gen/reflection_pb.js'
import type { ServiceHandlers } from '../../proto/grpc-server.ts'

const NOT_FOUND = 5
const UNIMPLEMENTED = 12
/** Between looks of one who watches health. */
const HEALTH_LOOK_MS = 1_000

export function reflectionHandlers(services: readonly DescService[]): ServiceHandlers<typeof ServerReflection> {
  const files = filesOf(services)
  const bytesOf = (file: DescFile) => ({
    case: 'fileDescriptorResponse' as const,
    // with all that it needs, the file itself first
    value: { fileDescriptorProto: withImports(file).map(each => toBinary(FileDescriptorProtoSchema, each.proto)) },
  })
  const error = (errorCode: number, errorMessage: string) =>
    ({ case: 'errorResponse' as const, value: { errorCode, errorMessage } })
  const answer = ({ messageRequest }: ServerReflectionRequest) => {
    switch (messageRequest.case) {
      case 'listServices':
        return {
          case: 'listServicesResponse' as const,
          value: { service: services.map(({ typeName }) => ({ name: typeName })) },
        }
      case 'fileByFilename': {
        const file = files.find(({ proto }) => proto.name === messageRequest.value)
        return file === undefined ? error(NOT_FOUND, `no file ${messageRequest.value}`) : bytesOf(file)
      }
      case 'fileContainingSymbol': {
        const file = files.find(each => holds(each, messageRequest.value))
        return file === undefined ? error(NOT_FOUND, `nothing is called ${messageRequest.value}`) : bytesOf(file)
      }
      default: return error(UNIMPLEMENTED, 'there are no extensions here')
    }
  }
  return {
    async *serverReflectionInfo(requests) {
      for await (const request of requests) {
        yield { validHost: request.host, originalRequest: request, messageResponse: answer(request) }
      }
    },
  }
}

/** `isReady`: a query that is sent here now could run. */
export function healthHandlers(
  services: readonly DescService[], isReady: () => boolean, clock: Clock,
): ServiceHandlers<typeof Health> {
  const statusOf = (service: string): Status => {
    if (service !== '' && !services.some(({ typeName }) => typeName === service)) return Status.SERVICE_UNKNOWN
    return isReady() ? Status.SERVING : Status.NOT_SERVING
  }
  return {
    check: ({ service }) => ({ status: statusOf(service) }),
    async *watch({ service }, { signal }) {
      let last: Status | null = null
      while (!signal.aborted) {
        const status = statusOf(service)
        if (status !== last) yield { status }
        last = status
        await delay(clock, HEALTH_LOOK_MS)
      }
    },
  }
}

function filesOf(services: readonly DescService[]): DescFile[] {
  return [...new Set(services.flatMap(({ file }) => withImports(file)))]
}

function withImports(file: DescFile): DescFile[] {
  return [...new Set([file, ...file.dependencies.flatMap(withImports)])]
}

/** A service, a method of one, a message, or an enum. */
function holds({ services, messages, enums }: DescFile, symbol: string): boolean {
  return services.some(({ typeName, methods }) =>
    typeName === symbol || methods.some(({ name }) => `${typeName}.${name}` === symbol))
    || messages.some(({ typeName }) => symbol === typeName || symbol.startsWith(`${typeName}.`))
    || enums.some(({ typeName }) => typeName === symbol)
}
