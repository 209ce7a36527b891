/**
 * Writes proto/gen (or the folder named as argument) from proto/*.proto. Fetches buf on first use: it is too large to
 * be a dependency.
 */
import { spawnSync } from 'node:child_process'

const out = process.argv[2] ?? 'proto/gen'
const template = JSON.stringify({
  version: 'v2',
  plugins: [{ local: 'protoc-gen-es', out, opt: ['target=js+dts', 'import_extension=js'] }],
})
const packages = ['@bufbuild/buf@1.75.0', '@bufbuild/protoc-gen-es@2.17.0'].map(name => `--package=${name}`)
const command = ['exec', '--yes', ...packages, '--', 'buf', 'generate', '--template', template]
const { status } = spawnSync('npm', command, { stdio: 'inherit' })
process.exitCode = status ?? 1
