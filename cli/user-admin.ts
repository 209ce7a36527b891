/** `skein admin user add | passwd | remove NAME` and `user list`. A password is never a word of the command line. */

import { QueryError } from '../proto/errors.ts'
import type { AdminService } from '../proto/gen/admin_pb.js'
import type { CallOptions, ServiceClient } from '../proto/grpc-channel.ts'

export type UserCommand =
  | { readonly kind: 'user-add' | 'user-passwd' | 'user-remove'; readonly name: string }
  | { readonly kind: 'user-list' }

export const userUsage = ['user add NAME', 'user passwd NAME', 'user remove NAME', 'user list']

/** undefined: no such words. */
export function userCommand(verb: string | undefined, [name, ...more]: readonly string[]): UserCommand | undefined {
  if (more.length > 0) return undefined
  if (verb === 'list' && name === undefined) return { kind: 'user-list' }
  if (name === undefined) return undefined
  switch (verb) {
    case 'add': return { kind: 'user-add', name }
    case 'passwd': return { kind: 'user-passwd', name }
    case 'remove': return { kind: 'user-remove', name }
    default: return undefined
  }
}

/** The first line of a text: what standard input, or SKEIN_PASSWORD, gives. */
export function passwordIn(text: string): string {
  const [line = ''] = text.split(/\r?\n/)
  if (line !== '') return line
  throw new QueryError('INVALID_REQUEST', 'no password: give it on standard input, or as SKEIN_PASSWORD')
}

/** Rows to print, or a text that says it all. */
export async function runUser(
  command: UserCommand, service: ServiceClient<typeof AdminService>, options: CallOptions, password: () => string,
): Promise<readonly Readonly<Record<string, string>>[] | string> {
  switch (command.kind) {
    case 'user-add':
      await service.addUser({ name: command.name, password: password() }, options)
      return `user ${command.name} is added\n`
    case 'user-passwd':
      await service.setPassword({ name: command.name, password: password() }, options)
      return `user ${command.name} has a new password\n`
    case 'user-remove':
      await service.removeUser({ name: command.name }, options)
      return `user ${command.name} is removed\n`
    case 'user-list': {
      const { users } = await service.listUsers({}, options)
      return users.map(({ name, changedMs }) => ({ name, changed: new Date(Number(changedMs)).toISOString() }))
    }
  }
}
