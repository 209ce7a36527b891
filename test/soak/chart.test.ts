/**
 * The Helm chart as Helm and Kubernetes take it: Helm's lint, and every template rendered and decoded strictly, with
 * its values as they are and with all that may be chosen. Needs Go: it builds Helm, which takes minutes.
 */

import t from 'tap'
import { fileURLToPath } from 'node:url'
import { checkout } from '../checkout.ts'
import { chartCheck, run } from '../interop/clients.ts'

const chart = fileURLToPath(new URL('deploy/helm/skein', checkout))
const program = await chartCheck()
const kinds = ['ConfigMap', 'Service', 'StatefulSet', 'PodDisruptionBudget', 'NetworkPolicy']

const choices: Readonly<Record<string, readonly string[]>> = {
  'as it is': [],
  'with secrets of etcd and of stores': ['secrets.etcd=skein-etcd', 'secrets.environment=skein-stores'],
  'without a network policy, with a storage class': ['networkPolicy.enabled=false', 'executor.storage.className=ssd'],
}

for (const [name, values] of Object.entries(choices)) {
  t.test(name, async t => {
    const { status, output } = await run('path' in program ? program.path : program.missing, [chart, ...values])
    t.equal(status, 0, output)
    t.match(output, /^ok lint$/m)
    const policies = values.includes('networkPolicy.enabled=false') ? kinds.slice(0, -1) : kinds
    for (const kind of policies) t.match(output, new RegExp(`^ok ${kind} `, 'm'), kind)
  })
}

t.test('a field that there is not is found', async t => {
  const { status, output } = await run('path' in program ? program.path : program.missing, [
    chart, 'coordinator.resources.memory=4Gi',
  ])
  t.equal(status, 1, output)
  t.match(output, /unknown field/)
})
