/** Puts the generated protobuf modules, which tsc does not emit, beside the compiled sources. */
import { cpSync } from 'node:fs'

cpSync('proto/gen', 'dist/proto/gen', { recursive: true })
