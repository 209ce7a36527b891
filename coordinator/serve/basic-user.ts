/** Who a caller says that he is by `Authorization: Basic`; undefined if he does not. */

export function basicUser(authorization: string): string | undefined {
  const encoded = /^Basic (.+)$/i.exec(authorization)?.[1]
  if (encoded === undefined) return undefined
  const decoded = Buffer.from(encoded, 'base64').toString()
  return decoded.split(':')[0] || undefined
}
