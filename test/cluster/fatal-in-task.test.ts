/**
 * A fatal error of DuckDB in the instance that tasks share: the query is answered, its executor drains itself, ends and
 * is started anew. No query was found to lead there, so DuckDB is made to: a library in front of libc throws DuckDB's
 * own exception out of a read of the process that a file names. That takes a compiler: without g++ the test says so,
 * unless SKEIN_COMPILER=required, as in CI, where it fails.
 */

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { faultConfig, ROWS, writeFaultTables } from './fault-tables.ts'
import { Skein } from './skein.ts'
import { Operator, until } from './watch.ts'

const WITHIN_MS = 60_000
/** `duckdb::ExceptionType::FATAL`. */
const FATAL = 30
const SOURCE = `
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <cxxabi.h>
#include <dlfcn.h>
#include <string>
#include <unistd.h>

static void failIfNamed(void *caller) {
  const char *path = std::getenv("FATAL_IN");
  Dl_info info;
  if (path == nullptr || access(path, F_OK) != 0) return;
  if (dladdr(caller, &info) == 0 || std::strstr(info.dli_fname, "libduckdb") == nullptr) return;
  FILE *file = std::fopen(path, "r");
  int pid = 0;
  if (file == nullptr) return;
  int found = std::fscanf(file, "%d", &pid);
  std::fclose(file);
  if (found != 1 || pid != getpid() || unlink(path) != 0) return;
  void *duckdb = dlopen(info.dli_fname, RTLD_NOLOAD | RTLD_LAZY);
  auto make = reinterpret_cast<void (*)(void *, unsigned char, const std::string &)>(dlsym(duckdb,
    "_ZN6duckdb14FatalExceptionC1ENS_13ExceptionTypeERKNSt7__cxx1112basic_stringIcSt11char_traitsIcESaIcEEE"));
  auto type = static_cast<std::type_info *>(dlsym(duckdb, "_ZTIN6duckdb14FatalExceptionE"));
  auto destroy = reinterpret_cast<void (*)(void *)>(dlsym(duckdb, "_ZN6duckdb14FatalExceptionD1Ev"));
  void *thrown = abi::__cxa_allocate_exception(256);
  make(thrown, ${FATAL}, "made to fail");
  abi::__cxa_throw(thrown, type, destroy);
}

#define READ(name) extern "C" ssize_t name(int fd, void *into, size_t size, off_t at) { \\
  static auto next = reinterpret_cast<ssize_t (*)(int, void *, size_t, off_t)>(dlsym(RTLD_NEXT, #name)); \\
  failIfNamed(__builtin_return_address(0)); \\
  return next(fd, into, size, at); \\
}
READ(pread)
READ(pread64)
`

const folder = await mkdtemp(join(tmpdir(), 'skein-fatal-task-'))
const [library, named] = [join(folder, 'fatal.so'), join(folder, 'pid')]
await writeFile(join(folder, 'fatal.cpp'), SOURCE)
const compiled = spawnSync('g++', ['-shared', '-fPIC', '-O1', '-o', library, join(folder, 'fatal.cpp'), '-ldl'],
  { encoding: 'utf8' })

if (compiled.error !== undefined) {
  const message = 'NO COMPILER: DuckDB cannot be made to fail here; a fatal error in a task is not tested'
  process.stderr.write(`${message}\n`)
  if (process.env['SKEIN_COMPILER'] === 'required') t.fail(message)
  else t.pass(message)
  await rm(folder, { recursive: true })
} else {
  t.equal(compiled.status, 0, compiled.stderr)
  await writeFaultTables(folder)
  const skein = await Skein.start({
    folder: join(folder, 'own'), executors: 2, config: faultConfig(folder),
    environment: { SKEIN_WHOLE_BYTES: '0', LD_PRELOAD: library, FATAL_IN: named },
  })
  const operator = new Operator(skein.doors)
  t.teardown(async () => {
    operator.close()
    await skein.stop()
    await rm(folder, { recursive: true })
  })

  t.test('its query is answered elsewhere, and the executor drains, ends and is started again', async t => {
    const count = { kind: 'rows', answer: { rows: [[`${ROWS}`, /^\d+$/]] } }
    const sql = 'SELECT count(*) AS n, sum(hash(word) % 100) AS s FROM rows'
    const [victim] = await operator.executors()
    const reasons = new Set<string>()
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        for (const { id, state, reason } of await operator.executors()) {
          if (reason !== '') reasons.add(`${id === victim?.id ? 'victim' : id} ${state} ${reason}`)
        }
      }
    })()
    await writeFile(`${named}.new`, `${victim?.pid}`)
    await rename(`${named}.new`, named)
    t.match(await skein.query(sql), count) // the first one: later ones may find in memory what they read
    t.notOk(existsSync(named), 'DuckDB has failed there')
    await until('another process is there', WITHIN_MS, async () => (await operator.executors()).some(one =>
      one.id === victim?.id && one.pid !== victim.pid && one.state === 'active' && one.reason === ''))
    isOver = true
    await watching
    t.ok(reasons.size > 0)
    const expected = /^victim (draining|drained|lost) DuckDB failed: FATAL Error: made to fail/
    t.ok([...reasons].every(seen => expected.test(seen)), [...reasons].join())
    t.match(await skein.query(sql), count)
  })
}
