/** What is left of texts that may hold secrets. */

import t from 'tap'
import { messageWithoutSecrets, withoutSecrets } from '../../proto/secret-words.ts'

t.test('a text without secrets is itself', async t => {
  for (const sql of [
    `SELECT 'a''b', "c d", $$e$$ -- f\nFROM t /* g */ WHERE x = 1`, '', 'SELECT \'open', `SELECT 'http://host:80/x'`,
  ]) t.equal(withoutSecrets(sql), sql)
})

t.test('a text that speaks of secrets loses its strings', async t => {
  t.equal(withoutSecrets(`CREATE SECRET s (TYPE s3, KEY_ID 'AK', SECRET 'x''y')`),
    `CREATE SECRET s (TYPE s3, KEY_ID '***', SECRET '***')`)
  t.equal(withoutSecrets(`create or replace persistent "secret" a (x $$p$$)`),
    `create or replace persistent "secret" a (x '***')`)
  t.equal(withoutSecrets(`ATTACH 'host=h' AS a`), `ATTACH '***' AS a`)
  t.equal(withoutSecrets(`SET s3_secret_access_key = E'a\\'b'`), `SET s3_secret_access_key = '***'`)
  t.equal(withoutSecrets(`SELECT 1 /* CREATE SECRET */, 'a'`), `SELECT 1 /* CREATE SECRET */, 'a'`)
  t.equal(withoutSecrets(`SET password = 'abc`), 'SET password = ***', 'one without its end too')
})

t.test('strings that hold credentials by their form go from any text', async t => {
  const masked = `FROM read_csv('***')`
  for (const address of [
    'https://ann:pw@host/x.csv', 's3://b/x?X-Amz-Signature=abc', 'postgres: password=pw', 'x?token=1',
    's3://b/x?s3_secret_access_key=1',
  ]) t.equal(withoutSecrets(`FROM read_csv('${address}')`), masked)
  t.equal(withoutSecrets('SELECT 1 -- password=pw\n'), 'SELECT 1 /* *** */\n')
})

t.test('a message about a text that holds secrets is not shown', async t => {
  t.equal(messageWithoutSecrets('no table x', 'FROM x'), 'no table x')
  t.equal(messageWithoutSecrets(`at "SECRET 'y'"`, `CREATE SECRET s (SECRET 'y')`), '***')
})
